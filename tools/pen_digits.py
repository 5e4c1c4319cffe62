"""Prepare people's pen digits for training: read, clean, draw and weight them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.digits import Digits
from core.data.people import PenDigit, held_out, read_strokes, writer_weights
from core.data.unipen import read_unipen
from core.recipes import RECIPES
from core.training import checkpoint
from core.training.events import Epoch
from core.training.handwriting import training_images
from core.training.inference import probabilities
from core.training.loop import train

COPIES = 6  # of each digit, half of them as strokes, half as pictures
HELD_OUT = 0.15  # share of the writers that are used only to fit thresholds
FOLDS = 2  # of writers, for finding wrong labels
# A label counts as wrong if networks that never saw its writer give it a probability below DOUBTED,
# and another digit one above CERTAIN.
DOUBTED, CERTAIN = 0.02, 0.9
_JUDGING = RECIPES["fast_995"].config.changed(
    {"epochs": 5, "reading_shift": 0, "rotation": 10, "shear": 15, "thickness": 0.8}
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Drawn pen digits: `images (M, 28, 28)`, `labels (M,)`, `weights (M,)` with sum 1.

    The weights of all writers are equal.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    weights: NDArray[np.float64]

    def sample(self, count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Draw `count` images and labels at random, more from writers with more digits.

        A writer's share is proportional to the square root of their number of digits, so that a
        writer's few digits are not memorized.
        """
        root = np.sqrt(self.weights)
        chosen = np.random.default_rng(seed).choice(len(root), count, p=root / root.sum())
        return self.images[chosen], self.labels[chosen]


def read(files: Sequence[Path]) -> list[PenDigit]:
    """Return the digits in files of JSON lines (`.jsonl`) or of UNIPEN. Raises DataError."""
    found = [read_strokes(file) if file.suffix == ".jsonl" else read_unipen(file) for file in files]
    return [digit for digits in found for digit in digits]


def drawn(
    digits: Sequence[PenDigit], seed: int, copies: int = COPIES, embellished: float = 0
) -> Drawn:
    """Return the digits drawn `copies` times each, a share `embellished` with flags and slashes."""
    images, labels, indices = training_images(digits, copies, seed, embellished)
    weights = writer_weights(digits)[indices]
    return Drawn(images, labels, weights / weights.sum())


def without_wrong_labels(digits: Sequence[PenDigit], mnist: Digits) -> list[PenDigit]:
    """Return the digits without those whose labels are probably wrong.

    Networks that never saw a digit's writer judge its label, with DOUBTED and CERTAIN.
    """
    writers = sorted({digit.writer for digit in digits})
    fold_of = {writer: number % FOLDS for number, writer in enumerate(writers)}
    kept = []
    for fold in range(FOLDS):
        others = [digit for digit in digits if fold_of[digit.writer] != fold]
        own = [digit for digit in digits if fold_of[digit.writer] == fold]
        images, labels, _ = training_images(others, 2, seed=fold)
        events = train(_JUDGING, mnist, extra=(images, labels))
        last = [event for event in events if isinstance(event, Epoch)][-1]
        images, _, indices = training_images(own, 2, seed=FOLDS + fold)
        answers = probabilities(checkpoint.network(last.checkpoint), images, _JUDGING)
        for number, digit in enumerate(own):
            mean = answers[indices == number].mean(axis=0) if (indices == number).any() else None
            if mean is None or mean[digit.label] > DOUBTED or mean.max() < CERTAIN:
                kept.append(digit)
    return kept


def divided(digits: Sequence[PenDigit]) -> tuple[list[PenDigit], list[PenDigit]]:
    """Split digits by writer: return those to learn from, and those held out."""
    return held_out(digits, HELD_OUT, seed=0)

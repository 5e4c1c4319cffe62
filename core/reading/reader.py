"""Read digits with a run's best network: which digit, how confident, and whether it is a digit.

The pages and the command line share these decisions.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.config import config_from
from core.data import mnist
from core.data.digits import Digits
from core.errors import UserError
from core.evaluation import calibration
from core.evaluation.calibration import Calibration, candidates
from core.reading import non_digits
from core.runs import answers, files
from core.runs.run import Run
from core.training import checkpoint
from core.training.augmentation import affine_points, bent, thickened
from core.training.inference import probabilities

SLANT, THICKNESS = 10.0, 0.5  # degrees and pixels, either way, of the versions that are read
_CHUNK = 500  # digits whose versions are in memory at once: 50 MB


@dataclass(frozen=True, eq=False)
class Reading:
    """A network's answer for one image.

    `probabilities (10,)` are calibrated. `candidates` are the plausible digits, likeliest first:
    one if the confidence is high enough, else two or three. The threshold of confidence is unknown
    before the run has ended, and if there are too few validation images; then the answer is not
    `judged`, and not sure. An image that looks like a digit, but an unusual one, is not
    `clearly_drawn`; then the answer is not sure either, even if there is a single candidate.
    """

    probabilities: NDArray[np.float32]
    candidates: tuple[int, ...]
    looks_like_a_digit: bool
    clearly_drawn: bool = True
    judged: bool = True

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return self.candidates[0]

    @property
    def confidence(self) -> float:
        """The calibrated probability of the likeliest digit, in [0, 1]."""
        return float(self.probabilities[self.digit])

    @property
    def sure(self) -> bool:
        """Whether there is a single candidate and the image clearly is a digit."""
        return self.looks_like_a_digit and self.clearly_drawn and len(self.candidates) == 1


class Reader:
    """Reads digits with the network of a run's best epoch, on the CPU in float32."""

    def __init__(self, run: Run, path: Path | None = None) -> None:
        """Load the run's network, or from `path` a network that was made from it.

        Raises RunError, CheckpointError.
        """
        content = checkpoint.load(path or files.path(run, files.BEST))
        self.config = config_from(content["config"])
        self.model = checkpoint.network(content).eval()
        self.calibration = run.calibration

    def readings(self, images: NDArray[np.float32]) -> list[Reading]:
        """Return the reading of each of `(N, 28, 28) float32` digits in [0, 1]."""
        answers = self.read(images)
        judged = zip(
            answers,
            self.calibration.are_sure(answers),
            non_digits.scores(images),
            strict=True,
        )
        return [
            Reading(
                probabilities=row,
                candidates=(int(row.argmax()),) if sure else tuple(candidates(row)),
                looks_like_a_digit=bool(score >= non_digits.A_DIGIT),
                clearly_drawn=bool(score >= non_digits.CLEARLY),
                judged=self.calibration.sure_from is not None,
            )
            for row, sure, score in judged
        ]

    def read(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `(N, 10)` probabilities for `(N, 28, 28) float32` digits in [0, 1].

        They are means over five versions of each digit: unchanged, slanted left and right, thicker
        and thinner. So an answer that depends on the slant or the pen has a low confidence.
        """
        few = np.array_split(images, max(1, -(-len(images) // _CHUNK)))
        return np.concatenate([self._read_few(part) for part in few])

    def _read_few(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        copies = torch.cat(
            list(versions(torch.tensor(images), slants()))
        ).numpy()  # one pass, not five
        each = self.calibration.apply(probabilities(self.model, copies, self.config))
        return np.asarray(each.reshape(-1, len(images), 10).mean(axis=0), np.float32)


def calibrated_reader(run: Run, path: Path | None = None) -> Reader:
    """Return a run's reader; fit a missing threshold now, if the data are available.

    `path` is as for `Reader`. Trials of a sweep and runs of version 0.1.0 have no threshold.
    Raises RunError, CheckpointError.
    """
    reader = Reader(run, path)
    if reader.calibration.sure_from is None and run.state.is_over and not run.imported:
        with suppress(UserError):  # for example, its data are missing: then no reading is sure
            reader.calibration = fit_calibration(run, mnist.load(run.data))
    return reader


def fit_calibration(run: Run, digits: Digits) -> Calibration:
    """Return the calibration of a run's readings, fitted on its validation images.

    The temperature is fitted on the network's own answers, the threshold on readings, since it is
    applied to those. Raises RunError, and CheckpointError if the network is damaged.
    """
    validation = answers.of(run, "validation", digits)
    reader = Reader(run)
    reader.calibration = calibration.fit(validation.probabilities, validation.labels)
    images = validation.images.astype(np.float32) / np.float32(255)
    readings = reader.read(images)
    threshold = calibration.threshold(readings, validation.labels)
    return replace(reader.calibration, sure_from=threshold)


def fit_temperature(run: Run, digits: Digits) -> Calibration:
    """Return the calibration without its threshold, whose fit would read each image five times.

    `calibrated_reader` fits the threshold when the run is first used. Raises as `fit_calibration`.
    """
    validation = answers.of(run, "validation", digits)
    return calibration.fit(validation.probabilities, validation.labels)


def slants() -> Tensor:
    """Return the `(2, 28, 28, 2)` points at which digits are sampled to slant left and right."""
    angles = torch.tensor([-SLANT, SLANT])
    return affine_points(torch.zeros(2), angles, torch.ones(2), torch.ones(2))


def versions(images: Tensor, slants: Tensor) -> Iterator[Tensor]:
    """Yield `(N, 28, 28)` images unchanged, slanted left and right, thicker and thinner."""
    yield images
    for points in slants:
        yield bent(images, points.expand(images.shape[0], -1, -1, -1))
    for pixels in (-THICKNESS, THICKNESS):
        yield thickened(images, torch.tensor([pixels]))

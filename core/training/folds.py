"""Out-of-fold probabilities: each digit is read by networks that did not learn from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.config import TrainConfig
from core.data.digits import Digits
from core.training import checkpoint
from core.training.events import Ended, Epoch, Event, Started, Step
from core.training.inference import probabilities
from core.training.loop import train

FOLDS = 5


@dataclass(frozen=True)
class Progress:
    """How much of the work is done, as a share in [0, 1]."""

    share: float


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """`(N, 10)` probabilities of training and then test images, each from other folds' networks."""

    probabilities: NDArray[np.float32]


def fold_numbers(labels: NDArray[np.uint8], folds: int, seed: int) -> NDArray[np.int64]:
    """Return `(N,)` the fold of each image, each digit spread evenly over the folds."""
    numbers = np.empty(len(labels), np.int64)
    order = np.random.default_rng(seed).permutation(len(labels))
    by_digit = order[np.argsort(labels[order], kind="stable")]
    numbers[by_digit] = np.arange(len(labels)) % folds
    return numbers

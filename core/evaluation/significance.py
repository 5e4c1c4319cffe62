"""Test whether one model is better than another, or the difference is chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Paired:
    """The images that only one of two models got right, by model, and the test's p-value."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Test whether two models are equally good, by the images that only one gets right.

    `first` and `second` are `(N,)`: whether each answer was right, for the same images. If the
    models were equally good, each would win such an image with probability 1/2. The p-value is that
    of the exact two-sided binomial test (McNemar, 1947, without his approximation).
    """
    from scipy.stats import binomtest  # takes 0.7 s

    wins, losses = int((first & ~second).sum()), int((second & ~first).sum())
    p_value = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    return Paired(wins, losses, float(p_value))

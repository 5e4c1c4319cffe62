"""Is one model better than another, or is it chance?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Paired:
    """Two models on the same images: how often each alone was right, and the test's p-value."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
    """Test whether two models are equally good, by the images that only one gets right.

    `first` and `second` are `(N,)`, whether each answer was right, for the same images. Were the
    models equally good, either would win such an image like the toss of a coin: the p-value is the
    exact two-sided binomial one (McNemar, 1947, without his approximation).
    """
    from scipy.stats import binomtest  # takes 0.7 s

    wins, losses = int((first & ~second).sum()), int((second & ~first).sum())
    p_value = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    return Paired(wins, losses, float(p_value))

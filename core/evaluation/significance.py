"""Test whether one model or setting is better than another, or differs only by chance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
from numpy.typing import NDArray

from core.evaluation.metrics import Z_95, wilson


@dataclass(frozen=True)
class Paired:
    """How many images only the first or only the second model got right, and the p-value."""

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


def difference_of_shares(
    first: tuple[int, int], second: tuple[int, int], z: float = Z_95
) -> tuple[float, float]:
    """Return the interval of the difference of two shares of different images, 95 % by default.

    Each is (right, count); the difference is the first's share less the second's. Newcombe's hybrid
    of two Wilson intervals (1998, method 10), which keeps its level near 100 % and for few images.
    """
    one, other = first[0] / first[1], second[0] / second[1]
    (low, high), (other_low, other_high) = wilson(*first, z), wilson(*second, z)
    return (
        one - other - math.hypot(one - low, other_high - other),
        one - other + math.hypot(high - one, other - other_low),
    )


def difference_of_models(
    first: NDArray[np.bool_], second: NDArray[np.bool_], z: float = Z_95
) -> tuple[float, float]:
    """Return the interval of the difference of two models' accuracies, 95 % by default.

    `first` and `second` are `(N,)`: whether each answer was right, for the same images. Wald's
    interval with half an image added to each of the four cells (Agresti and Min, 2005).
    """
    wins, losses = int((first & ~second).sum()) + 0.5, int((second & ~first).sum()) + 0.5
    count = len(first) + 2
    middle = (wins - losses) / count
    half = z * math.sqrt(wins + losses - (wins - losses) ** 2 / count) / count
    return max(-1.0, middle - half), min(1.0, middle + half)


POWER = 0.8  # the usual probability with which a test should find a true difference
LEVEL = 0.05  # the usual significance level
_MOST = 200  # runs of each; more would take too long to train


@dataclass(frozen=True)
class Seeds:
    """How two settings differ in the means of their runs, by Welch's t test.

    `difference` is the first's mean less the second's; `low` and `high` are its 95 % interval.
    `detectable` is the smallest true difference that this number of runs finds with probability
    POWER. `needed` is the number of runs of each that would find the observed difference; None if
    it is above 200.
    """

    difference: float
    low: float
    high: float
    p_value: float
    detectable: float
    needed: int | None


def welch(first: Sequence[float], second: Sequence[float]) -> Seeds | None:
    """Test whether two settings have the same mean, from runs with different seeds.

    Welch's t test (1947), two-sided, allows the spreads to differ. It assumes that the results are
    normally distributed, as accuracies of one setting nearly are. Returns None if either setting
    has fewer than two runs, or if the runs of neither differ: then there is no spread to judge by.
    """
    if min(len(first), len(second)) < 2:
        return None
    spreads = variance(first), variance(second)
    if max(spreads) < 1e-20:  # equal numbers, but for rounding
        return None
    from scipy.stats import ttest_ind  # takes 0.7 s

    found = ttest_ind(first, second, equal_var=False)
    interval = found.confidence_interval(1 - LEVEL)
    difference, pooled = fmean(first) - fmean(second), math.sqrt(fmean(spreads))
    n = 2 / (1 / len(first) + 1 / len(second))  # the harmonic mean
    return Seeds(
        difference,
        float(interval.low),
        float(interval.high),
        float(found.pvalue),
        detectable(n, pooled),
        runs_needed(abs(difference), pooled),
    )


def power(difference: float, deviation: float, n: float) -> float:
    """Return the probability that the t test finds a difference, with n runs of each setting.

    `deviation` is the standard deviation of the runs. From the noncentral t distribution with
    2n - 2 degrees of freedom (Cohen, Statistical Power Analysis, 1988, chapter 2).
    """
    from scipy.stats import nct, t

    freedom, shift = 2 * n - 2, difference / deviation * math.sqrt(n / 2)
    if shift > 11:  # above 0.998; far out, scipy has no number
        return 1.0
    critical = t.ppf(1 - LEVEL / 2, freedom)
    return float(nct.sf(critical, freedom, shift))


def detectable(n: float, deviation: float) -> float:
    """Return the smallest true difference that n runs of each find with probability POWER."""
    from scipy.optimize import brentq

    return float(brentq(lambda d: power(d, 1.0, n) - POWER, 1e-3, 12) * deviation)


def runs_needed(difference: float, deviation: float) -> int | None:
    """Return how many runs of each find a difference with probability POWER; None if over 200."""
    if difference <= 0 or power(difference, deviation, _MOST) < POWER:
        return None
    low, high = 1, _MOST  # too few, and enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if power(difference, deviation, middle) >= POWER else (middle, high)
        )
    return high

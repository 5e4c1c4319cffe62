"""Tests of two settings from their seeds, against published and known numbers."""

import numpy as np
import pytest

from core.evaluation import significance


def test_welch_is_the_published_example() -> None:
    """Student's sleep data (1908), whose Welch test R's manual prints: p = 0.07939."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    found = significance.welch(first, second)
    assert found is not None
    assert found.difference == pytest.approx(-1.58)
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832))


@pytest.mark.parametrize(("effect", "runs"), [(0.5, 64), (0.8, 26)])
def test_runs_needed_are_cohens(effect: float, runs: int) -> None:
    """Cohen's table (1988): 64 of each for a medium effect, 26 for a large one, at 80 %."""
    assert significance.runs_needed(effect, 1.0) == runs


@pytest.mark.slow
def test_detectable_difference_is_found_four_times_of_five() -> None:
    """Simulated settings that differ by it are distinguished in 80 % of 2,000 trials."""
    least = significance.detectable(5, 0.01)
    random = np.random.default_rng(0)
    better, worse = random.normal(least, 0.01, (2_000, 5)), random.normal(0, 0.01, (2_000, 5))
    found = [significance.welch(a, b) for a, b in zip(better.tolist(), worse.tolist(), strict=True)]
    assert np.mean([one is not None and one.p_value < 0.05 for one in found]) == pytest.approx(
        0.8, abs=0.03
    )


@pytest.mark.slow
def test_chance_is_taken_for_a_difference_once_in_twenty() -> None:
    """Settings that do not differ are distinguished in at most 5 % of 2,000 trials."""
    random = np.random.default_rng(0)
    pairs = random.normal(0, 1, (2_000, 2, 5)).tolist()
    found = [significance.welch(first, second) for first, second in pairs]
    assert 0.03 < np.mean([one is not None and one.p_value < 0.05 for one in found]) < 0.06


@pytest.mark.parametrize(
    ("first", "second"), [([0.99], [0.98, 0.97]), ([0.99, 0.99, 0.99], [0.98, 0.98, 0.98])]
)
def test_without_a_spread_there_is_no_verdict(first: list[float], second: list[float]) -> None:
    """A single run has no spread, and neither have runs that are all equal."""
    assert significance.welch(first, second) is None


def test_difference_that_takes_too_many_runs_has_no_number() -> None:
    """If 200 runs of each would not be enough, no number is given."""
    assert significance.runs_needed(0.0001, 0.01) is None
    assert significance.runs_needed(0, 0.01) is None
    assert significance.runs_needed(1, 0.0001) == 2

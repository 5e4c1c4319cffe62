"""How much near-duplicates raise an accuracy, counted by hand."""

import numpy as np
import pytest

from core.evaluation import leakage


def test_owed_is_the_accuracy_less_that_of_the_others() -> None:
    """Of 1,000 images 100 have a duplicate, all right, and of the others 90 % are right."""
    has = np.arange(1_000) < 100
    right = has | (np.arange(1_000) < 910)
    found = leakage.owed(right, has)
    assert found is not None
    assert (found.with_count, found.without_count) == (100, 900)
    assert (found.with_accuracy, found.without_accuracy) == (1, 0.9)
    assert found.owed == pytest.approx(right.mean() - right[~has].mean())
    assert 0 < found.owed_interval[0] < found.owed < found.owed_interval[1] < 0.02


def test_nothing_is_owed_where_there_is_nothing_to_compare() -> None:
    """Without any duplicate, and with nothing but duplicates, there is no number."""
    right = np.ones(10, bool)
    assert leakage.owed(right, np.zeros(10, bool)) is None
    assert leakage.owed(right, np.ones(10, bool)) is None

"""Slices of the digits: fifths, intervals, and the conclusions that they allow."""

import numpy as np
import pytest

from core.evaluation import significance, slices


def test_difference_of_shares_is_the_published_example() -> None:
    """Newcombe (1998), example (a): 56 of 70 against 48 of 80 is 0.0524 to 0.3339."""
    low, high = significance.difference_of_shares((56, 70), (48, 80))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_difference_of_models_holds_the_truth_in_19_of_20() -> None:
    """Of 2,000 simulated pairs of models with a known difference, 93.5 to 97.5 % have it inside."""
    random = np.random.default_rng(0)
    hits = 0
    for _ in range(2_000):
        fate = random.choice(4, 1_000, p=[0.97, 0.015, 0.005, 0.01])  # both, first, second, neither
        first, second = np.isin(fate, (0, 1)), np.isin(fate, (0, 2))
        low, high = significance.difference_of_models(first, second)
        hits += low <= 0.01 <= high
    assert 0.935 < hits / 2_000 < 0.975


def test_difference_of_equal_models_is_around_nothing() -> None:
    """Two models that are right on the same images have an interval around 0, never a point."""
    right = np.ones(500, bool)
    low, high = significance.difference_of_models(right, right)
    assert low < 0 < high
    assert low == pytest.approx(-high)


def test_fifths_hold_the_same_digits() -> None:
    """Each fifth has a fifth of each digit, though all ones are below all noughts."""
    labels = np.repeat([0, 1], 100).astype(np.uint8)
    values = np.where(labels == 1, 0.0, 10.0) + np.tile(np.arange(100), 2) / 100
    part = slices.parts(values, labels)
    for number in range(slices.PARTS):
        assert np.bincount(labels[part == number]).tolist() == [20, 20]
    assert (part[:20] == 0).all() and (part[80:100] == 4).all()


def test_equal_values_are_in_one_fifth() -> None:
    """Where all are equal there is one fifth, the middle one, and nothing to compare it with."""
    labels, values = np.zeros(500, np.uint8), np.ones(500)
    assert set(slices.parts(values, labels)) == {2}
    table = slices.accuracies(values, labels, np.arange(500) > 250)
    assert slices.weakest({"thickness": table}) is None


def test_accuracies_are_counted() -> None:
    """A fifth's accuracy, interval and mean are those of its images."""
    labels, values = np.zeros(1_000, np.uint8), np.arange(1_000.0)
    right = values >= 20
    table = slices.accuracies(values, labels, right)
    assert table["accuracy"].tolist() == [0.9, 1, 1, 1, 1]
    assert table["mean"][0] == pytest.approx(99.5)
    assert (table["low"] <= table["accuracy"]).all() and (table["high"] >= 0.9).all()


def test_weakness_is_found_with_its_numbers() -> None:
    """A network that misreads a tenth of the thinnest, and a hundredth of all others."""
    random = np.random.default_rng(1)
    labels, values = random.integers(0, 10, 5_000).astype(np.uint8), random.random((4, 5_000))
    thin = slices.parts(values[0], labels) == 0
    right = random.random(5_000) > np.where(thin, 0.1, 0.01)
    tables = {
        str(number): slices.accuracies(one, labels, right) for number, one in enumerate(values)
    }
    found = slices.weakest(tables)
    assert found is not None and (found.measure, found.part) == ("0", 0)
    assert found.here == right[thin].mean() and found.there == pytest.approx(right[~thin].mean())
    assert found.low < found.here - found.there < found.high < 0


@pytest.mark.slow
def test_chance_is_taken_for_weakness_once_in_twenty() -> None:
    """Of 40 networks that are equally good everywhere, one in twenty at most is called weak."""
    random = np.random.default_rng(2)
    labels = np.zeros(2_000, np.uint8)
    values = random.random((4, 2_000))
    false = 0
    for _ in range(40):
        right = random.random(2_000) > 0.05
        tables = {
            str(number): slices.accuracies(one, labels, right) for number, one in enumerate(values)
        }
        false += slices.weakest(tables) is not None
    assert false <= 2


def test_difference_between_models_is_found_where_it_is() -> None:
    """Two networks that differ on the most slanted alone differ there, and nowhere by chance."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 10, 5_000).astype(np.uint8)
    values = {name: random.random(5_000) for name in ("thickness", "slant")}
    first = random.random(5_000) > 0.02
    slanted = slices.parts(values["slant"], labels) == 4
    second = first & ~(slanted & (random.random(5_000) < 0.1))
    found = slices.largest_difference(values, labels, first, second)
    assert found is not None and (found.measure, found.part) == ("slant", 4)
    assert 0 < found.low < found.here - found.there < found.high
    assert slices.largest_difference(values, labels, first, first) is None
    table = slices.differences(values["slant"], labels, first, second)
    assert table["difference"][4] == found.here - found.there
    assert (table["difference"][:4] == 0).all()


def test_examples_are_of_the_digit_and_in_order() -> None:
    """One image of the digit for each fifth, from low to high; -1 where the digit is missing."""
    labels, values = np.tile([3, 4], 50).astype(np.uint8), np.arange(100.0)
    chosen = slices.examples(values, labels, 4)
    assert (labels[chosen] == 4).all() and (np.diff(values[chosen]) > 0).all()
    assert slices.examples(values, labels, 7).tolist() == [-1] * 5

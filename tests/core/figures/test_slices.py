"""Panels of slices: their axes can be read, however large the differences are."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation.slices import Finding
from core.figures.slices import Panel, accuracy_panel, called, difference_panel

PARTS = pd.DataFrame(
    {"part": range(5), "mean": np.linspace(1.5, 3.5, 5), "right": 90, "count": 100, "accuracy": 0.9}
).assign(here=0.9, there=0.8, difference=0.1, low=0.05, high=0.95)


@pytest.mark.parametrize("low", [-4.4, -0.02, -0.9, -60.0])
@pytest.mark.parametrize("high", [4.4, 0.3, 12.0])
def test_difference_has_three_to_seven_numbers_beside_it(low: float, high: float) -> None:
    """Ticks are round, distinct and in the range, and zero has no sign."""
    axis = difference_panel(PARTS, Panel("slant", [""] * 5, (low, high), 250)).layout.yaxis
    assert 3 <= len(axis.tickvals) <= 7 and len(set(axis.ticktext)) == len(axis.tickvals)
    assert low <= min(axis.tickvals) and max(axis.tickvals) <= high
    assert axis.ticktext[axis.tickvals.index(0)] == "0"
    for value, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert float(text.replace("−", "-")) == value


@pytest.mark.parametrize("low", [0.2, 0.91, 0.9978, 0.99971])
def test_accuracy_has_numbers_up_to_all_of_them(low: float) -> None:
    """No tick is above 100 %, and none appears twice, whatever the range."""
    axis = accuracy_panel(PARTS, Panel("ink", [""] * 5, (low, 1.002), 250)).layout.yaxis
    assert len(set(axis.ticktext)) == len(axis.tickvals) >= 3
    assert max(axis.tickvals) == 1.0 and axis.ticktext[-1].startswith("100")


def test_each_fifth_is_called_what_it_is() -> None:
    """Only the third is in the middle; the ends have words of their own."""
    names = [called(Finding("size", part, 0.9, 0.8, 0.05, 0.15)) for part in range(5)]
    assert names == [
        "the smallest digits",
        "the second fifth by size",
        "digits of medium size",
        "the fourth fifth by size",
        "the largest digits",
    ]

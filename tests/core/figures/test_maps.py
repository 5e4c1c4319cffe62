"""The map of digits: which points each kind of color distinguishes."""

import numpy as np
import pandas as pd
import pytest

from core.figures.maps import COLORS, digit_map

POINTS = pd.DataFrame(
    {
        "x": [0.0, 1.0, 2.0],
        "y": 0.0,
        "digit": [4, 9, 4],
        "name": ["train image 7", "train image 8", "mine"],
        "answer": [4, 4, 4],
        "hardness": [0.2, np.nan, 1.0],
        "source": ["MNIST", "MNIST", "my digits"],
    }
)


@pytest.mark.parametrize(
    ("color", "named"),
    [
        ("digit", {"4": [0, 2], "9": [1]}),
        ("answer", {"right (2)": [0, 2], "wrong (1)": [1]}),
        ("hardness", {"not learned from": [1], "learned from": [0, 2]}),
        ("source", {"MNIST (2)": [0, 1], "my digits (1)": [2]}),
    ],
)
def test_each_point_is_in_one_group_with_its_row(color: str, named: dict[str, list[int]]) -> None:
    """The rows in customdata are those of the table, for tiles and regions to find the images."""
    figure = digit_map(POINTS, "a map", color, lasso=True)
    assert {one.name: one.customdata[:, 0].tolist() for one in figure.data} == named
    assert figure.layout.dragmode == "lasso" and color in COLORS


def test_hovering_tells_what_was_read() -> None:
    """The label, which image it is, and the answer."""
    texts = [one for trace in digit_map(POINTS, "", "answer").data for one in trace.text]
    assert "label 9, train image 8, read as 4" in texts

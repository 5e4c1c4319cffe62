"""Drawings from the canvas: which strokes count, where they are, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest

from core.errors import InkError
from core.ink.strokes import draw, from_drawing, from_strokes
from tests.core.ink.drawings import SEVEN


@pytest.mark.parametrize("drawing", [None, {}, [], [[]], ""])
def test_empty_drawing(drawing: Any) -> None:
    """A drawing without strokes says so, and what to do."""
    with pytest.raises(
        InkError, match=r"^No digit found: the drawing is empty. Draw a digit first."
    ):
        from_drawing(drawing)


def test_dot() -> None:
    """A tap of the pen is not a digit."""
    with pytest.raises(InkError, match="only a dot"):
        from_drawing([[[9, 9], [9.04, 9.04]]])


def test_drawing_is_its_strokes() -> None:
    """What a browser sends is read as the strokes that it says."""
    [digit] = from_drawing([stroke.tolist() for stroke in SEVEN])
    np.testing.assert_array_equal(digit.image, draw(SEVEN))


@pytest.mark.parametrize(
    "drawing",
    [
        5,
        [1],
        "M 0 0 L 9 9",
        {"objects": []},
        {"objects": 5},
        [None],
        [5],
        [[5]],
        ["ab"],
        [["a", "b"]],
        [[[]]],
        [[["a", "b"], [9, 90]]],
        [[[0, None], [9, 90]]],
        [[[0, {}], [9, 90]]],
        [[[0, 0, 0], [9, 90, 0]]],
        [[[0, 0], [9]]],
        [[0, 9, 90]],
        [[[0, 10**400], [9, 90]]],
        [[[0, math.nan], [9, 90]]],
        [[[0, math.inf], [9, 90]]],
        [[[0, 1e9], [9, 90]]],
        [[[0, 0], [9, 90]] * 1_000_000],
        [[]] * 30_000,
    ],
    ids=lambda drawing: repr(drawing)[:40],
)
def test_unreadable_drawing(drawing: Any) -> None:
    """A broken drawing is at worst refused, with a message that says what to do next."""
    with pytest.raises(InkError, match="Clear it and draw"):
        from_drawing(drawing)


@pytest.mark.parametrize(
    "strokes",
    [
        [[[0, None], [9, 90]]],
        [[["a", "b"], [9, 90]]],
        [[[0, 0, 0], [9, 90, 0]]],
        [[0, 9, 90]],
        [[[[0, 0]], [[9, 90]]]],
        [[[0, 0], [9]]],
        [[[0, 10**400], [9, 90]]],
    ],
    ids=str,
)
def test_strokes_that_are_not_points_are_refused(strokes: Any) -> None:
    """A stroke that is not a list of points of two numbers is refused with a message."""
    with pytest.raises(InkError, match="Clear it and draw again"):
        from_strokes(strokes)

"""Drawings from the canvas: which strokes count, where they are, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest

from core.errors import InkError
from core.ink.strokes import draw, from_drawing, from_strokes
from tests.core.ink.drawings import (
    ONE,
    SEVEN,
    apart,
    canvas,
    digit_in_drawing,
    spans,
)


def test_curves_bend() -> None:
    """A quadratic curve bulges half-way to its control point."""
    curve = {"type": "path", "path": [["M", 0, 0], ["Q", 200, 100, 0, 200]]}
    height, width = spans(digit_in_drawing({"objects": [curve]}))
    assert height == 20
    assert width == pytest.approx((100 / 200) * (20 - 2.4) + 2.4, abs=1)


def test_edits_on_the_canvas_count() -> None:
    """A stroke that was moved, scaled, turned or flipped is drawn where the canvas shows it."""
    [stroke] = SEVEN
    middle = (stroke.min(axis=0) + stroke.max(axis=0)) / 2
    moved = canvas([stroke, stroke])
    moved["objects"][1] |= {"left": 300, "top": 100, "scaleX": 0.5, "scaleY": 2, "angle": 90}
    x, y = ((stroke - middle) * (0.5, 2)).T
    other = np.stack([300 - y, 100 + x], axis=1)
    assert apart(digit_in_drawing(moved), draw([stroke, other])) < 0.001
    mirrored = draw([(stroke - middle) * (-1, 1)])
    assert apart(digit_in_drawing(canvas([stroke], flipX=True)), mirrored) < 0.001


def test_corner_origins_count() -> None:
    """Fabric 5 and 6 put the corner of a path's box, pen included, at (left, top)."""
    old = canvas(ONE + SEVEN)
    for item, stroke in zip(old["objects"], ONE + SEVEN, strict=True):
        left, top = stroke.min(axis=0) - item["strokeWidth"] / 2
        item |= {"originX": "left", "originY": "top", "left": left, "top": top}
    assert apart(digit_in_drawing(old), draw(ONE + SEVEN)) < 0.001


@pytest.mark.parametrize("drawing", [None, {}, {"objects": []}, {"objects": [{"type": "Rect"}]}])
def test_empty_drawing(drawing: dict[str, Any] | None) -> None:
    """A drawing without strokes says so, and what to do."""
    with pytest.raises(
        InkError, match=r"^No digit found: the drawing is empty. Draw a digit first."
    ):
        digit_in_drawing(drawing)


def test_dot() -> None:
    """A tap of the pen is not a digit."""
    with pytest.raises(InkError, match="only a dot"):
        digit_in_drawing(canvas([np.array([[9, 9], [9.04, 9.04]])]))


@pytest.mark.parametrize(
    "path",
    [
        "M 0 0 L 9 9",
        5,
        [5],
        [[]],
        [["M"]],
        [["M", 0]],
        [["M", "a", "b"]],
        [["M", None, None]],
        [["Q", 0, 0, 9, 9]],
        [["M", 0, 0], ["C", 1, 1, 2, 2, 9, 9]],
        [["M", 0, 0], ["L", 10**400, 0]],
        [["M", 0, 0], ["L", math.nan, 9]],
        [["M", 0, 0], ["L", math.inf, 9]],
        [["M", 0, 0], ["Q", 1e308, 1e308, 9, 9]],
        [["M", 0, 0], ["L", 1e9, 9]],
        [["M", 0, 0]] * 1_000_000,
        [["M", "0", "0"], ["L", "9", "9"]],
        [["M", True, False], ["L", 9, 90]],
        [["M", [0, 0]], ["L", [9, 90]]],
        [["M", [[0]], [[0]]], ["L", [[9]], [[90]]]],
        [["M", 0, 0], ["L", {}, 9]],
    ],
    ids=lambda path: repr(path)[:40],
)
def test_unreadable_path(path: Any) -> None:
    """Any content of a path is drawn, or refused with advice on what to do next."""
    with pytest.raises(InkError, match="Clear it and draw"):
        digit_in_drawing({"objects": [{"type": "Path", "path": path}]})


@pytest.mark.parametrize(
    "drawing",
    [
        [1],
        {"shapes": []},
        {"objects": 5},
        {"objects": [None]},
        {"objects": [{"type": "Path"}]},
        canvas(SEVEN, left="here"),
        canvas(SEVEN, left=[[1, 2], [3, 4], [5, 6]], top=[[1, 2], [3, 4], [5, 6]]),
        canvas(SEVEN, left=[1, 2, 3], top=[1, 2, 3]),
        canvas(SEVEN, left=None),
        canvas(SEVEN, strokeWidth=[[1, 2]], originX="left"),
        canvas(SEVEN, scaleY=True),
        canvas(SEVEN, angle=10**400),
        canvas(SEVEN, scaleX=math.inf),
        canvas(SEVEN, angle=math.inf),
        canvas(SEVEN, originX="somewhere"),
        {"objects": [{"type": "Path", "path": []}] * 30_000},
    ],
    ids=lambda drawing: repr(drawing)[:40],
)
def test_unreadable_drawing(drawing: Any) -> None:
    """A broken drawing is at worst refused, with a message that says what to do next."""
    with pytest.raises(InkError, match="Clear it and draw"):
        digit_in_drawing(drawing)


ODD = (
    None,
    "x",
    "5",
    True,
    [],
    [1],
    [[1, 2]],
    {},
    -1,
    0,
    10**400,
    math.nan,
    math.inf,
    1e308,
    -1e308,
)


def test_odd_values_anywhere_are_refused_or_drawn() -> None:
    """A drawing with any odd value is read or refused; nothing worse happens."""
    random, refused = np.random.default_rng(0), 0
    for _ in range(400):
        drawing = canvas(SEVEN, scaleX=1, scaleY=1, angle=0)
        [item] = drawing["objects"]
        command = item["path"][random.integers(len(item["path"]))]
        holder: Any = item if random.integers(2) else command
        places = list(holder) if holder is item else range(len(holder))
        holder[places[random.integers(len(places))]] = ODD[random.integers(len(ODD))]
        try:
            from_drawing(drawing)
        except InkError:
            refused += 1
    assert refused > 200


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

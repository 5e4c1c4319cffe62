"""Turn strokes, from the drawing canvas or elsewhere, into digits."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from core.errors import InkError
from core.ink.normalization import (
    BOX,
    FINE,
    PEN,
    Digit,
    Floats,
    place,
)
from core.ink.separation import (
    group_pieces,
)

MAX_POINTS = 20_000  # in a drawing; drawing makes about 60 a second
MAX_COORDINATE = 1e5  # canvas pixels
DOT = 4  # canvas pixels; a stroke that spans less is a dot
CURVE_STEPS = 4  # straight segments for each of the canvas's curves, which are a few pixels long

UNREADABLE = "The drawing cannot be read. Clear it and draw again."
EMPTY = "No digit found: the drawing is empty. Draw a digit first."


def from_drawing(drawing: dict[str, Any] | None) -> list[Digit]:
    """Return the digits of the canvas's drawing, left to right.

    `drawing` is the `json_data` of streamlit-drawable-canvas, made by Fabric 7 (None before the
    first stroke). Only free-hand paths are read, including those that were moved, scaled or rotated
    on the canvas. Raises `InkError` if nothing is drawn or the drawing cannot be read.
    """
    return from_strokes(strokes_of(drawing))


def strokes_of(drawing: dict[str, Any] | None) -> list[Floats]:
    """Return the strokes of the canvas's drawing, each (N, 2) points (x, y), y down.

    Raises `InkError` if nothing is drawn or the drawing cannot be read.
    """
    if not drawing:
        raise InkError(EMPTY)
    try:
        paths = [item for item in drawing["objects"] if item.get("type") in ("path", "Path")]
        if sum(1 + len(path["path"]) for path in paths) > MAX_POINTS:
            raise InkError(
                f"The drawing has more than {MAX_POINTS:,} points. Clear it and draw less."
            )
        with np.errstate(all="ignore"):  # overflowing values are rejected by from_strokes
            return [_edited(_points(path["path"]), path) for path in paths]
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InkError(UNREADABLE) from error


def from_strokes(strokes: Sequence[Floats]) -> list[Digit]:
    """Return the digits in strokes, row by row from the top, left to right in each.

    A stroke is (N, 2) points (x, y), y pointing down. Raises `InkError` if there is no ink or only
    dots, or if a coordinate is out of range.
    """
    try:
        strokes = [np.asarray(stroke, float) for stroke in strokes if len(stroke)]
    except (OverflowError, TypeError, ValueError) as error:
        raise InkError(UNREADABLE) from error
    if not strokes:
        raise InkError(EMPTY)
    if any(stroke.ndim != 2 or stroke.shape[1] != 2 for stroke in strokes):
        raise InkError(UNREADABLE)
    if not (np.abs(np.concatenate(strokes)) <= MAX_COORDINATE).all():  # a NaN fails this too
        raise InkError("The drawing has points far outside the canvas. Clear it and draw again.")
    boxes = np.array([[*stroke.min(axis=0), *stroke.max(axis=0)] for stroke in strokes])
    found = []
    rows = group_pieces(boxes, strokes)
    for row, group in ((row, group) for row, groups in enumerate(rows) for group in groups):
        (left, top), (right, bottom) = boxes[group, :2].min(0), boxes[group, 2:].max(0)
        if max(right - left, bottom - top) >= DOT:
            image = draw([strokes[number] for number in group])
            box = float(left), float(top), float(right), float(bottom)
            found.append(Digit(image, box, row))
    if not found:
        raise InkError("No digit found: there is only a dot. Draw a larger digit.")
    return found


def draw(strokes: Sequence[Floats]) -> NDArray[np.float32]:
    """Draw one digit's strokes, each (N, 2) points (x, y), y down, as (28, 28) float32 in [0, 1].

    The pen is round and has MNIST's thickness, whatever the pen on the canvas.
    """
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    span = float((points.max(axis=0) - low).max())
    side = BOX * FINE
    radius = PEN * side / 2
    scale = (side - 2 * radius) / span  # the longer side includes the pen's width
    page = Image.new("1", (side, side))
    pencil = ImageDraw.Draw(page)
    for stroke in strokes:
        line = (stroke - low) * scale + radius - 0.5
        pencil.line([(x, y) for x, y in line.tolist()] * (1 if len(line) > 1 else 2), fill=1)
    return place(ndimage.distance_transform_edt(~np.asarray(page)) <= radius)


def _points(path: list[list[Any]]) -> Floats:
    """Return the (N, 2) points of a path, `[["M", x, y], ["Q", x1, y1, x, y], …, ["L", x, y]]`."""
    points: list[Floats] = []
    for command, *numbers in path:
        ends = _numbers(*numbers).reshape(-1, 2)
        if command == "Q" and points and len(ends) == 2:
            t = np.linspace(0, 1, CURVE_STEPS + 1)[1:, None]
            points.extend((1 - t) ** 2 * points[-1] + 2 * t * (1 - t) * ends[0] + t**2 * ends[1])
        elif command in ("M", "L") and len(ends) == 1:
            points.append(ends[0])
        else:
            raise ValueError(f"unknown path command {command!r}")
    return np.array(points).reshape(-1, 2)


def _numbers(*values: Any) -> Floats:
    """Return a drawing's values as an array. Raises TypeError unless each of them is a number."""
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        raise TypeError("not a number")
    return np.array(values, float)


def _edited(points: Floats, path: dict[str, Any]) -> Floats:
    """Return a path's (N, 2) points as shown on the canvas: moved, scaled and rotated.

    Fabric stores a path's points as first drawn, and as (left, top) the position of the middle of
    their box, or of the corner that originX and originY name.
    """
    if "left" not in path or not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    flips = np.array([-1 if path.get(flip) else 1 for flip in ("flipX", "flipY")])
    scale = _numbers(path.get("scaleX", 1), path.get("scaleY", 1))
    names = {"left": 0.5, "top": 0.5, "right": -0.5, "bottom": -0.5, "center": 0.0}
    corner = np.array([names[path.get(origin, "center")] for origin in ("originX", "originY")])
    degrees, pen = _numbers(path.get("angle", 0), path.get("strokeWidth", 0)).tolist()
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    local = (points - (low + high) / 2) * flips + corner * (high - low + pen)
    moved: Floats = (local * scale) @ turn.T + _numbers(path["left"], path["top"])
    return moved

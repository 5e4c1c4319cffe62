"""Turn strokes, from the drawing canvas or elsewhere, into digits."""

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

UNREADABLE = "The drawing cannot be read. Clear it and draw again."
EMPTY = "No digit found: the drawing is empty. Draw a digit first."


def from_drawing(drawing: Any) -> list[Digit]:
    """Return the digits of what a browser or another program sent as a drawing, as `from_strokes`.

    Raises `InkError` if nothing is drawn or the drawing cannot be read.
    """
    return from_strokes(strokes_of(drawing))


def strokes_of(drawing: Any) -> list[Floats]:
    """Return the strokes of `[[[x, y], …], …]`, each (N, 2) points (x, y), y down.

    `drawing` may be anything. Raises `InkError` if it is empty, too long, or no strokes.
    """
    if not drawing:
        raise InkError(EMPTY)
    try:
        if len(drawing) + sum(map(len, drawing)) > MAX_POINTS:
            raise InkError(
                f"The drawing has more than {MAX_POINTS:,} points. Clear it and draw less."
            )
        return [np.asarray(stroke, float).reshape(len(stroke), 2) for stroke in drawing]
    except (OverflowError, TypeError, ValueError) as error:
        raise InkError(UNREADABLE) from error


def from_strokes(strokes: Sequence[Floats]) -> list[Digit]:
    """Return the digits of strokes, row by row from the top, left to right in each.

    A stroke is (N, 2) points (x, y), y pointing down.

    Raises `InkError` if there is no ink or only dots, or a coordinate is out of range.
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

    The pen is round and has MNIST's thickness, independent of the pen on the canvas.
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

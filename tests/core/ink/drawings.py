"""Digits as strokes, as the canvas saves them and as pictures; how digits are compared."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.ink.photo import from_picture
from core.ink.strokes import from_drawing

SEVEN = [np.array([[60, 50], [200, 50], [110, 240]], float)]


ONE = [np.array([[140, 30], [140, 250]], float)]


FOUR = [
    np.array([[90, 40], [40, 150], [180, 150]], float),
    np.array([[140, 90], [140, 250]], float),
]


FIVE = [
    np.array([[80, 50], [75, 130], [150, 130], [170, 180], [130, 240], [60, 235]], float),
    np.array([[80, 50], [190, 45]], float),
]


BARRED_SEVEN = [*SEVEN, np.array([[110, 150], [190, 150]], float)]


BROKEN = [np.array([[140, 30], [140, 120]], float), np.array([[143, 150], [140, 250]], float)]


def digit_in_picture(source: bytes | Path | Image.Image) -> NDArray[np.float32]:
    """The one digit in a picture."""
    [digit] = from_picture(source)
    return digit.image


def digit_in_drawing(drawing: dict[str, Any] | None) -> NDArray[np.float32]:
    """The one digit in a drawing."""
    [digit] = from_drawing(drawing)
    return digit.image


def canvas(strokes: list[NDArray[Any]], **edits: Any) -> dict[str, Any]:
    """The canvas's json_data for `strokes`: as Fabric saves a path, the middle of its box first."""
    objects = []
    for stroke in strokes:
        (left, top), (right, bottom) = stroke.min(axis=0), stroke.max(axis=0)
        start, *rest = stroke.tolist()
        path = [["M", *start], *(["L", *point] for point in rest)]
        place = {"originX": "center", "left": (left + right) / 2, "top": (top + bottom) / 2}
        objects.append({"type": "Path", "path": path, "strokeWidth": 18, **place, **edits})
    return {"version": "7.4.0", "objects": objects}


def page(strokes: list[NDArray[Any]], pen: int = 18, side: int = 280) -> Image.Image:
    """`strokes` as a canvas shows them: mode L, black on white."""
    picture = Image.new("L", (side, side), 255)
    pencil = ImageDraw.Draw(picture)
    for stroke in strokes:
        points = [(x, y) for x, y in stroke.tolist()]
        pencil.line(points, 0, pen, joint="curve")
        for x, y in points:
            pencil.circle((x, y), pen / 2, 0)
    return picture


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """`picture` as the bytes of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def shifted(strokes: list[NDArray[Any]], right: float) -> list[NDArray[Any]]:
    """The strokes, further to the right."""
    return [stroke + np.array([right, 0]) for stroke in strokes]


def spans(digit: NDArray[Any]) -> tuple[int, int]:
    """Height and width of the ink, in pixels."""
    return tuple(int(np.ptp(np.flatnonzero(digit.any(axis=axis)))) + 1 for axis in (1, 0))


def apart(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Mean absolute difference."""
    return float(np.abs(a - b).mean())

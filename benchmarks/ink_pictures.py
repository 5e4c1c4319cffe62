"""Pen digits as drawings and as pictures: sizes, turns, edges, light."""

import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.training.handwriting import SIDE, picture

SCALE = 500  # of the pen digits' own box
PENS = (10, 18, 26)
Strokes = list[NDArray[np.float64]]
Picture = Callable[[Strokes, np.random.Generator], Image.Image]


def pen_digits(path: Path) -> tuple[list[Strokes], NDArray[np.int64]]:
    """Return the strokes in canvas pixels, y down, and the labels."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]

    def on_canvas(stroke: list[list[float]]) -> NDArray[np.float64]:
        points = np.array(stroke, float)
        return np.stack([points[:, 0], SCALE - points[:, 1]], 1) * SIDE / SCALE

    strokes = [[on_canvas(stroke) for stroke in row["strokes"]] for row in rows]
    return strokes, np.array([row["label"] for row in rows])


def corner(strokes: Strokes, random: np.random.Generator) -> Image.Image:
    """Return the drawing at a quarter of its size in one of the corners."""
    small = picture(strokes, 18).resize((SIDE // 4, SIDE // 4), Image.Resampling.BOX)
    page = Image.new("L", (SIDE, SIDE))
    far = SIDE - SIDE // 4 - 8
    page.paste(small, (int(random.choice([8, far])), int(random.choice([8, far]))))
    return page


def rotated(strokes: Strokes, random: np.random.Generator) -> Image.Image:
    """Return the drawing turned by up to 15 degrees."""
    angle = math.radians(random.uniform(-15, 15))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return picture([(stroke - SIDE / 2) @ turn.T + SIDE / 2 for stroke in strokes], 18)


def dark_on_light(strokes: Strokes, random: np.random.Generator) -> Image.Image:
    """Return the drawing in black on white."""
    return ImageOps.invert(picture(strokes, 18))


def cut(strokes: Strokes, random: np.random.Generator) -> Image.Image:
    """Return the drawing moved until the border cuts a third of the pen's width off one side."""
    points = np.concatenate(strokes)
    low, high = points.min(0) - 9, points.max(0) + 9
    side, inside = int(random.integers(4)), np.zeros(2)
    axis = side % 2
    inside[axis] = -6 - low[axis] if side < 2 else SIDE + 6 - high[axis]
    return picture([stroke + inside for stroke in strokes], 18)


def photographed(strokes: Strokes, random: np.random.Generator) -> Image.Image:
    """Return dark ink on light paper, in uneven light, with noise, as a JPEG of quality 40."""
    ink_of = np.asarray(picture(strokes, 18), float) / 255
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    direction = random.uniform(0, 2 * math.pi)
    slope = (across - 0.5) * math.cos(direction) + (down - 0.5) * math.sin(direction)
    light = 0.75 + 0.35 * slope
    page = light * (0.95 - 0.75 * ink_of) + random.normal(0, 0.03, ink_of.shape)
    file = io.BytesIO()
    Image.fromarray((255 * page.clip(0, 1)).astype(np.uint8)).save(file, "JPEG", quality=40)
    return Image.open(file)


PICTURES: dict[str, Picture] = {
    **{f"pen {pen} px": lambda s, _, pen=pen: picture(s, pen) for pen in PENS},  # type: ignore[misc]
    "a quarter of the size, in a corner": corner,
    "turned by up to 15°": rotated,
    "dark on light": dark_on_light,
    "cut by the border": cut,
    "uneven light, noise, JPEG 40": photographed,
}


def squeezed(page: Image.Image) -> NDArray[np.float32]:
    """Return the tutorials' way: gray, resized to 28 × 28."""
    small = page.convert("L").resize((28, 28), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32) / np.float32(255)


def beside(numbers: list[Strokes], random: np.random.Generator) -> Image.Image:
    """Return several digits in one picture, with gaps as in handwriting."""
    placed, right = [], 20.0
    for strokes in numbers:
        low = np.concatenate(strokes).min(0)
        shift = np.array([right - low[0], random.uniform(-12, 12)])
        placed += [stroke + shift for stroke in strokes]
        right = max(stroke[:, 0].max() for stroke in placed) + 18 + random.uniform(15, 45)
    return picture(placed, 18, (int(right) + 20, SIDE))

"""Make training images from pen digits, as if drawn on the canvas or photographed.

A digit is drawn several times, each time with another pen, sampling and tremor, and prepared just
like a user's drawing or upload. Plain ones can get a flag and a foot, and plain zeros a slash.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter1d

from core.data.people import PenDigit, Strokes
from core.errors import InkError
from core.ink.photo import from_picture
from core.ink.strokes import from_strokes

SIDE = 280  # of the canvas on the Draw page, pixels
MARGIN = 40  # around the digit, pixels
PENS = (0.04, 0.26)  # thinnest and thickest, as a share of the digit's longer side
TREMOR = 2.5  # standard deviation of a point's displacement, pixels, before it is smoothed
FLAG, FLAG_ANGLE = (0.15, 0.45), (30, 60)  # share of a 1's height; degrees below horizontal
FEET, FOOT = 0.3, (0.1, 0.3)  # share of flagged ones with a foot; half its length, like FLAG
SLASH = 0.2  # share of a zero's box: the most that a slash's ends are away from its corners
SLIM = 0.5  # width to height: a 1 without a flag is at most this wide
STRAIGHT = 0.95  # distance between its ends, as a share of its box's diagonal, at least
_FINE = 4  # pictures are drawn this many times larger and shrunk, for smooth edges


def training_images(
    digits: Sequence[PenDigit], copies: int, seed: int, embellished: float = 0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Return `(M, 28, 28)` images, `(M,)` labels, and the `(M,)` indices of their digits.

    Each digit is drawn `copies` times, alternately as strokes and as a picture. A share
    `embellished` of the plain ones and zeros gets a flag or a slash. An image is left out unless
    exactly one digit is found in it.
    """
    random = np.random.default_rng(seed)
    images, indices = [], []
    for copy in range(copies):
        for index, digit in enumerate(digits):
            strokes = digit.strokes
            if embellished and random.random() < embellished:
                strokes = with_flag_or_slash(digit, random)
            strokes = varied(on_canvas(strokes), random)
            try:
                if copy % 2:
                    found = from_picture(
                        picture(strokes, random.uniform(*PENS) * (SIDE - 2 * MARGIN))
                    )
                else:
                    found = from_strokes(strokes)
            except InkError:
                continue
            if len(found) == 1:
                images.append(np.rint(255 * found[0].image).astype(np.uint8))
                indices.append(index)
    chosen = np.array(indices, np.int64)
    labels = np.array([digit.label for digit in digits], np.uint8)[chosen]
    return np.stack(images), labels, chosen


def on_canvas(strokes: Strokes) -> Strokes:
    """Return strokes moved and scaled to fill the canvas within its margin."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-9)
    return [(stroke - (low + high) / 2) * scale + SIDE / 2 for stroke in strokes]


def with_flag_or_slash(digit: PenDigit, random: np.random.Generator) -> Strokes:
    """Return a digit's strokes; a plain 1 gets a flag and perhaps a foot, a plain 0 a slash."""
    if len(digit.strokes) == 1 and digit.label == 0:
        return [*digit.strokes, _slash(digit.strokes[0], random)]
    if len(digit.strokes) == 1 and digit.label == 1:
        return [*digit.strokes, *_flag_and_foot(digit.strokes[0], random)]
    return digit.strokes


def _slash(zero: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return a line across a zero, from about the lower left to the upper right of its box."""
    low, high = zero.min(axis=0), zero.max(axis=0)
    corners = np.array([(low[0], high[1]), (high[0], low[1])])
    moved: NDArray[np.float64] = corners + random.uniform(-SLASH, SLASH, (2, 2)) * (high - low)
    return moved


def _flag_and_foot(stem: NDArray[np.float64], random: np.random.Generator) -> Strokes:
    """Return a flag from the top of a 1, sometimes a foot too; nothing if it is not plain."""
    width, height = np.ptp(stem, axis=0)
    top, bottom = sorted(stem[[0, -1]], key=lambda point: point[1])
    if width > SLIM * height or math.dist(top, bottom) < STRAIGHT * math.hypot(width, height):
        return []
    angle = math.radians(random.uniform(*FLAG_ANGLE))
    flag = height * random.uniform(*FLAG) * np.array([-math.cos(angle), math.sin(angle)])
    half = np.array([height * random.uniform(*FOOT), 0])
    foot = [np.array([bottom - half, bottom + half])] if random.random() < FEET else []
    return [np.array([top + flag, top]), *foot]


def varied(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Return strokes as if sampled by another device and drawn by a shakier hand."""
    spread, keep = random.uniform(0, TREMOR), random.uniform(0.5, 1)
    return [_shaken(_thinned(stroke, keep, random), spread, random) for stroke in strokes]


def _thinned(
    stroke: NDArray[np.float64], keep: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return about a share `keep` of a stroke's points, including both ends."""
    if len(stroke) < 8:
        return stroke
    kept = random.random(len(stroke)) < keep
    kept[[0, -1]] = True
    return stroke[kept]


def _shaken(
    stroke: NDArray[np.float64], spread: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return a stroke with smooth random displacements."""
    moves = random.normal(0, spread, stroke.shape)
    moved: NDArray[np.float64] = stroke + gaussian_filter1d(moves, 1, axis=0, mode="nearest")
    return moved


def picture(strokes: Strokes, pen: float, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """Return strokes as a canvas shows them, white on black, with a round pen of `pen` pixels."""
    page = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
    pencil = ImageDraw.Draw(page)
    for stroke in strokes:
        points = [(x * _FINE, y * _FINE) for x, y in stroke.tolist()]
        pencil.line(points, 255, round(pen * _FINE), joint="curve")
        for point in points:
            pencil.circle(point, pen * _FINE / 2, 255)
    return page.reduce(_FINE)

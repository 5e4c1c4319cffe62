"""Make training images from pen digits, as if drawn on the canvas or in a picture.

A digit is drawn several times, each time with another pen, sampling and tremor, and prepared just
like a user's drawing or upload. Ones can be given a flag and a foot, and noughts a slash.
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
FLAG, FLAG_ANGLE = (0.15, 0.45), (30, 60)  # of a 1: share of its height; degrees below level
FEET, FOOT = 0.3, (0.1, 0.3)  # share of flagged ones with a foot; half its length, as a flag's
SLASH = 0.2  # of a 0's box: how far the ends of a slash are from its corners, at most
SLIM, STRAIGHT = 0.5, 0.95  # a bare 1: width to height at most; its ends' distance, of its box's
_FINE = 4  # drawn larger and shrunk, for smooth edges


def training_images(
    digits: Sequence[PenDigit], copies: int, seed: int, embellished: float = 0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Return `(M, 28, 28)` images, `(M,)` labels and the `(M,)` indices of the digits they are of.

    Each digit is drawn `copies` times, in turn as strokes and as a picture. A share `embellished`
    of ones and noughts, where they are bare, get a flag or a slash. Images in which not exactly one
    digit is found are left out.
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
    """Return strokes moved and scaled so that they fill the canvas but for its margin."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-9)
    return [(stroke - (low + high) / 2) * scale + SIDE / 2 for stroke in strokes]


def with_flag_or_slash(digit: PenDigit, random: np.random.Generator) -> Strokes:
    """Return the strokes of a digit; a bare 1 with a flag and perhaps a foot, a bare 0 slashed."""
    if len(digit.strokes) == 1 and digit.label == 0:
        return [*digit.strokes, _slash(digit.strokes[0], random)]
    if len(digit.strokes) == 1 and digit.label == 1:
        return [*digit.strokes, *_flag_and_foot(digit.strokes[0], random)]
    return digit.strokes


def _slash(nought: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return a line across a 0, from near its box's lower left to near the upper right."""
    low, high = nought.min(axis=0), nought.max(axis=0)
    corners = np.array([(low[0], high[1]), (high[0], low[1])])
    moved: NDArray[np.float64] = corners + random.uniform(-SLASH, SLASH, (2, 2)) * (high - low)
    return moved


def _flag_and_foot(stem: NDArray[np.float64], random: np.random.Generator) -> Strokes:
    """Return what is added to a 1 that is a bare stem: a flag from its top, at times a foot."""
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
    """Return strokes as another device would have sampled them and another hand have shaken."""
    spread, keep = random.uniform(0, TREMOR), random.uniform(0.5, 1)
    return [_shaken(_thinned(stroke, keep, random), spread, random) for stroke in strokes]


def _thinned(
    stroke: NDArray[np.float64], keep: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return about a share `keep` of a stroke's points, its ends among them."""
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

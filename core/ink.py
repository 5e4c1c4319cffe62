"""Ink: strokes or a picture → the digits in it, each as MNIST's makers would have prepared it.

They scaled each digit, its aspect kept and its edges anti-aliased to grey, so that its longer side
filled 20 pixels, and moved it so that its centre of mass came to the middle of 28 × 28 (LeCun,
Cortes and Burges, http://yann.lecun.com/exdb/mnist/). A network that learned on such pictures knows
no others, so a digit of one's own has to be prepared the same way.

Both roads, `from_strokes` and `from_picture`, end in a sharp picture of 8 × 8 fine pixels for each
pixel of the 20 × 20 box, which `_place` turns into the 28 × 28.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from core import picture
from core.errors import InkError
from core.picture import AREA, MIN_CONTRAST, Floats

Mask = NDArray[np.bool_]

SIZE = 28  # side of an MNIST picture, pixels
BOX = 20  # longer side of the ink in it, pixels
FINE = 8  # fine pixels to a pixel, along each axis
PEN = 0.12  # width of a stroke in parts of the ink's longer side; half of MNIST's have more
THINNEST, THICKEST = 0.08, 0.165  # 5 and 85 % of MNIST's digits have less, by `_even_out`'s rule

MAX_POINTS = 20_000  # in a drawing; a hand leaves some 60 a second
MAX_COORDINATE = 1e5  # canvas pixels
DOT = 4  # canvas pixels; what spans less is a dot
CURVE_STEPS = 4  # straight pieces for one curve of the canvas, which is a few pixels long

MIN_INK = 0.02  # longer side of a digit in parts of the picture's
DIRT = 0.02  # area of a speck in parts of the largest piece of ink's
FLAT = 4  # what is so many times wider than high is no digit

FLAT_LINE = "No digit found: there is only a flat line. Crop the picture to the digit."

PART = 0.35  # of the ink's height: what is lower is a part of the digit next to it
SHARED = 0.2  # of the narrower one's width: pieces that stand so far above each other are one digit
NARROW = 0.2  # of the ink's height: the width that a piece has at least, when that is compared
MAX_DIGITS = 20

EMPTY = "No digit found: the drawing is empty. Draw a digit first."
BLANK = (
    "No digit found: the picture looks blank. "
    "Use a darker pen or more light, or crop the picture to the digit."
)


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit of several: what the model sees, and where it was.

    `image` is (28, 28) float32 in [0, 1], ink is 1. `box` is left, top, right and bottom, in pixels
    of the canvas, or as shares of the picture's width and height.
    """

    image: NDArray[np.float32]
    box: tuple[float, float, float, float]


# --- strokes ------------------------------------------------------------------------------------


def from_strokes(drawing: dict[str, Any] | None) -> list[Digit]:
    """The digits of the canvas's drawing, left to right.

    `drawing` is the `json_data` of streamlit-drawable-canvas, made by Fabric 7 (None before the
    first stroke). Only its free-hand paths count, moved, scaled or turned by the canvas's editing
    as they may be. Raises `InkError` if nothing is drawn or the drawing cannot be read.
    """
    if not drawing:
        raise InkError(EMPTY)
    try:
        paths = [item for item in drawing["objects"] if item.get("type") in ("path", "Path")]
        if sum(1 + len(path["path"]) for path in paths) > MAX_POINTS:
            raise InkError(
                f"The drawing has more than {MAX_POINTS:,} points. Clear it and draw less."
            )
        with np.errstate(all="ignore"):  # what overflows is refused below
            strokes = [_edited(_points(path["path"]), path) for path in paths]
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InkError("The drawing cannot be read. Clear it and draw again.") from error
    return digits(strokes)


def digits(strokes: Sequence[Floats]) -> list[Digit]:
    """The digits that strokes make, left to right; each stroke is (N, 2) points (x, y), y down.

    Raises `InkError` if there is no ink or only dots, or a coordinate is no sensible number.
    """
    strokes = [stroke for stroke in strokes if len(stroke)]
    if not strokes:
        raise InkError(EMPTY)
    if not (np.abs(np.concatenate(strokes)) <= MAX_COORDINATE).all():  # a NaN fails this too
        raise InkError("The drawing has points far outside the canvas. Clear it and draw again.")
    boxes = np.array([[*stroke.min(axis=0), *stroke.max(axis=0)] for stroke in strokes])
    found = []
    for group in _grouped(boxes):
        (left, top), (right, bottom) = boxes[group, :2].min(0), boxes[group, 2:].max(0)
        if max(right - left, bottom - top) >= DOT:
            image = draw([strokes[number] for number in group])
            found.append(Digit(image, (float(left), float(top), float(right), float(bottom))))
    if not found:
        raise InkError("No digit found: there is only a dot. Draw a larger digit.")
    return found


def draw(strokes: Sequence[Floats]) -> NDArray[np.float32]:
    """One digit's strokes, each (N, 2) points (x, y), y down, as (28, 28) float32 in [0, 1].

    They are drawn with a round pen of MNIST's thickness, whatever pen was used.
    """
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    span = float((points.max(axis=0) - low).max())
    side = BOX * FINE
    radius = PEN * side / 2
    scale = (side - 2 * radius) / span  # the pen's width belongs to the longer side
    page = Image.new("1", (side, side))
    pencil = ImageDraw.Draw(page)
    for stroke in strokes:
        line = (stroke - low) * scale + radius - 0.5
        pencil.line([(x, y) for x, y in line.tolist()] * (1 if len(line) > 1 else 2), fill=1)
    return _place(ndimage.distance_transform_edt(~np.asarray(page)) <= radius)


def _points(path: list[list[Any]]) -> Floats:
    """A path of the canvas, `[["M", x, y], ["Q", x1, y1, x, y], …, ["L", x, y]]`, as (N, 2)."""
    points: list[Floats] = []
    for command, *numbers in path:
        ends = np.asarray(numbers, float).reshape(-1, 2)
        if command == "Q" and points and len(ends) == 2:
            t = np.linspace(0, 1, CURVE_STEPS + 1)[1:, None]
            points.extend((1 - t) ** 2 * points[-1] + 2 * t * (1 - t) * ends[0] + t**2 * ends[1])
        elif command in ("M", "L") and len(ends) == 1:
            points.append(ends[0])
        else:
            raise ValueError(f"unknown path command {command!r}")
    return np.array(points).reshape(-1, 2)


def _edited(points: Floats, path: dict[str, Any]) -> Floats:
    """(N, 2) points of a path where the canvas shows them, after moving, scaling and turning.

    Fabric keeps a path's points as first drawn and puts the middle of their box at (left, top),
    which is a corner of the box instead where originX and originY say so.
    """
    if "left" not in path or not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    flips = np.array([-1 if path.get(flip) else 1 for flip in ("flipX", "flipY")])
    scale = np.array([path.get("scaleX", 1), path.get("scaleY", 1)], float)
    names = {"left": 0.5, "top": 0.5, "right": -0.5, "bottom": -0.5, "center": 0.0}
    corner = np.array([names[path.get(origin, "center")] for origin in ("originX", "originY")])
    angle = math.radians(path.get("angle", 0))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    local = (points - (low + high) / 2) * flips + corner * (high - low + path.get("strokeWidth", 0))
    moved: Floats = (local * scale) @ turn.T + (path["left"], path["top"])
    return moved


# --- pictures -----------------------------------------------------------------------------------


def from_picture(source: bytes | Path | Image.Image) -> list[Digit]:
    """The digits in a picture, left to right.

    `source` is a PNG, JPEG or WebP of at most 16 MB and 40 megapixels, or a picture already open;
    dark ink on a light ground or light on dark. Raises `InkError` if it cannot be read or holds
    no digit.
    """
    ink = picture.strength(source)
    pieces, boxes, edge = _pieces(ink)
    found, height, width = [], *ink.shape
    for group in _grouped(boxes):
        (left, top), (right, bottom) = boxes[group, :2].min(0), boxes[group, 2:].max(0)
        if max(right - left, bottom - top) < MIN_INK * max(ink.shape):
            continue
        if right - left > FLAT * (bottom - top):
            continue
        part = slice(int(top), int(bottom)), slice(int(left), int(right))
        others = (pieces[part] > 0) & ~np.isin(pieces[part], np.array(group) + 1)
        image = _prepared(np.pad(np.where(others, 0, ink[part]), 2), edge)
        box = float(left / width), float(top / height), float(right / width), float(bottom / height)
        found.append(Digit(image, box))
    if not found:
        flat = np.ptp(boxes[:, [0, 2]]) > FLAT * np.ptp(boxes[:, [1, 3]])
        raise InkError(FLAT_LINE if flat else BLANK)
    return found


def _pieces(ink: Floats) -> tuple[NDArray[np.int32], Floats, float]:
    """The connected pieces of ink (H, W), dirt left out, and the strength at their edge.

    Returns (H, W) with the number of each pixel's piece, from 1, and (N, 4) boxes: left, top,
    right, bottom.
    """
    strong = ink[ink > _otsu(ink[ink > 0])] if ink.any() else ink
    edge = float(strong.mean()) / 2
    if 2 * edge < MIN_CONTRAST:
        raise InkError(BLANK)
    pieces, count = ndimage.label(ink > edge, np.ones((3, 3)))
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    least = MIN_INK * max(ink.shape)  # pixels, of a piece's area too
    if areas.max() < least:
        raise InkError(BLANK)
    kept = areas >= max(DIRT * areas.max(), least)
    numbers = np.zeros(count + 1, np.int32)
    numbers[kept] = np.arange(1, kept.sum() + 1)
    pieces = numbers[pieces]
    boxes = [
        [columns.start, rows.start, columns.stop, rows.stop]
        for rows, columns in ndimage.find_objects(pieces)
    ]
    return pieces, np.array(boxes, float), edge


def _prepared(ink: Floats, edge: float) -> NDArray[np.float32]:
    """One digit's ink (H, W), cropped, as (28, 28), its strokes in MNIST's range of thickness."""
    enlarge = max(1.0, BOX * FINE / max(ink.shape))
    size = (round(ink.shape[1] * enlarge), round(ink.shape[0] * enlarge))
    sharp = Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)
    return _place(_fit(_even_out(np.asarray(sharp) > edge)))


def _otsu(values: Floats) -> float:
    """The threshold that parts `values` into the two classes with the largest variance between.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems,
    Man, and Cybernetics 9 (1), 1979.
    """
    counts, edges = np.histogram(values, 256, (0, values.max()))
    mass = np.cumsum(counts * edges[1:])
    below = np.cumsum(counts)[:-1]
    above = values.size - below  # never 0: the largest value is in the last bin
    gap = (mass[-1] - mass[:-1]) / above - mass[:-1] / np.maximum(below, 1)
    return float(edges[1 + np.argmax(below * above * gap**2)])


def _even_out(mask: Mask) -> Mask:
    """Ink (H, W) with its strokes brought into the range of thickness that MNIST has.

    Across a stroke of width w the distance to the edge is w / 4 on average, half a pixel more
    where distances are counted from pixel to pixel.
    """
    mask = np.pad(mask, max(mask.shape) // 4)
    depth = ndimage.distance_transform_edt(mask)
    width = 4 * (float(depth[mask].mean()) - 0.5)
    longer = max(side.stop - side.start for side in _box(mask))
    goal = min(max(width / longer, THINNEST), THICKEST)
    grow = (goal * longer - width) / (1 - goal) / 2  # on each side, the digit growing with it
    if grow > 0:
        return np.asarray(ndimage.distance_transform_edt(~mask) <= grow)
    return np.asarray(depth > -grow)


# --- both ---------------------------------------------------------------------------------------


def _grouped(boxes: Floats) -> list[list[int]]:
    """The numbers of the pieces of each digit, left to right; (N, 4) left, top, right, bottom.

    Pieces are one digit if they stand above each other for SHARED of the narrower one's width. What
    is lower than PART of the whole ink's height (a bar, a dot) goes with the nearest that is not.
    Raises `InkError` if there are more than MAX_DIGITS.
    """
    height = float(boxes[:, 3].max() - boxes[:, 1].min())
    middle, half = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 2] - boxes[:, 0]) / 2
    half = np.maximum(half, NARROW * height / 2)
    whole = boxes[:, 3] - boxes[:, 1] >= PART * height
    if not whole.any():
        whole[:] = True
    groups: list[list[int]] = []
    ends: list[list[float]] = []
    for number in sorted(np.flatnonzero(whole).tolist(), key=lambda one: middle[one] - half[one]):
        left, right = float(middle[number] - half[number]), float(middle[number] + half[number])
        if groups:
            shared = min(right, ends[-1][1]) - max(left, ends[-1][0])
            if shared >= SHARED * min(right - left, ends[-1][1] - ends[-1][0]):
                groups[-1].append(number)
                ends[-1][1] = max(ends[-1][1], right)
                continue
        groups.append([number])
        ends.append([left, right])
    for number in np.flatnonzero(~whole).tolist():
        gaps = [max(left - middle[number], middle[number] - right, 0) for left, right in ends]
        groups[int(np.argmin(gaps))].append(number)
    if len(groups) > MAX_DIGITS:
        raise InkError(f"More than {MAX_DIGITS} digits. Show fewer at once.")
    return groups


def _box(mask: Mask) -> tuple[slice, slice]:
    """The rows and the columns that the ink spans."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _fit(mask: Mask) -> Floats:
    """Ink (H, W) → the fine square, its longer side filled and its shorter side at the start."""
    ink = mask[_box(mask)]
    side = max(ink.shape)
    square = np.zeros((side, side), np.float32)
    square[: ink.shape[0], : ink.shape[1]] = ink
    return np.asarray(Image.fromarray(square).resize((BOX * FINE, BOX * FINE), AREA))


def _place(fine: Floats | Mask) -> NDArray[np.float32]:
    """The fine square (160, 160) → (28, 28) float32, its centre of mass in the middle.

    The middle is pixel 14, and the move is by whole pixels: in MNIST the centres of mass lie
    evenly between 13.5 and 14.5.
    """
    ink = fine.reshape(BOX, FINE, BOX, FINE).mean(axis=(1, 3))
    ink = ink[_box(ink > 0)]
    centre = ndimage.center_of_mass(ink)
    top, left = (
        min(max(round(SIZE // 2 - middle), 0), SIZE - side)
        for middle, side in zip(centre, ink.shape, strict=True)
    )
    digit = np.zeros((SIZE, SIZE), np.float32)
    digit[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return digit

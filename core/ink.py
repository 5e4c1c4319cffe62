"""Ink: strokes or a picture → the 28 × 28 that MNIST's makers would have made of it.

They scaled each digit, its aspect kept and its edges anti-aliased to grey, so that its longer side
filled 20 pixels, and moved it so that its centre of mass came to the middle of 28 × 28 (LeCun,
Cortes and Burges, http://yann.lecun.com/exdb/mnist/). A network that learned on such pictures knows
no others, so a digit of one's own has to be prepared the same way.

Both roads, `from_strokes` and `from_picture`, end in a sharp picture of 8 × 8 fine pixels for each
pixel of the 20 × 20 box, which `_place` turns into the 28 × 28.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps
from scipy import ndimage

from core.errors import InkError

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

SIZE = 28  # side of an MNIST picture, pixels
BOX = 20  # longer side of the ink in it, pixels
FINE = 8  # fine pixels to a pixel, along each axis
AREA = Image.Resampling.BOX
PEN = 0.12  # width of a stroke in parts of the ink's longer side; half of MNIST's have more
THINNEST, THICKEST = 0.08, 0.165  # 5 and 85 % of MNIST's digits have less, by `_even_out`'s rule

MAX_POINTS = 20_000  # in a drawing; a hand leaves some 60 a second
MAX_COORDINATE = 1e5  # canvas pixels
DOT = 4  # canvas pixels; what spans less is a dot
CURVE_STEPS = 4  # straight pieces for one curve of the canvas, which is a few pixels long

MAX_BYTES = 16 * 2**20
MAX_PIXELS = 40_000_000
MIN_SIDE = 8  # of a picture, pixels
WORKING_SIDE = 1024  # longer side, in pixels, at which ink is looked for
UNEVEN = 0.05  # median deviation along the frame of a shaded picture; black to white is 1
MIN_CONTRAST = 0.1  # between ink and paper; black to white is 1
MIN_INK = 0.02  # longer side of a digit in parts of the picture's
DIRT = 0.02  # area of a speck in parts of the largest piece of ink's
FLAT = 4  # what is so many times wider than high is no digit

EMPTY = "No digit found: the drawing is empty. Draw a digit first."
BLANK = (
    "No digit found: the picture looks blank. "
    "Use a darker pen or more light, or crop the picture to the digit."
)
TOO_LARGE = "The picture is too large: at most 16 MB and 40 megapixels. Upload a smaller one."


# --- strokes ------------------------------------------------------------------------------------


def from_strokes(drawing: dict[str, Any] | None) -> NDArray[np.float32]:
    """The canvas's drawing as MNIST would have it: (28, 28) float32 in [0, 1], ink is 1.

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
                f"The drawing has more than {MAX_POINTS:,} points. Clear it and draw one digit."
            )
        with np.errstate(all="ignore"):  # `draw` refuses what overflows
            strokes = [_edited(_points(path["path"]), path) for path in paths]
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InkError("The drawing cannot be read. Clear it and draw again.") from error
    return draw(strokes)


def draw(strokes: Sequence[Floats]) -> NDArray[np.float32]:
    """Strokes, each (N, 2) points (x, y) in canvas pixels, y down, as (28, 28) float32 in [0, 1].

    They are drawn with a round pen of MNIST's thickness, whatever pen was used. Raises `InkError`
    if there is no ink or only a dot, or a coordinate is no sensible number.
    """
    strokes = [stroke for stroke in strokes if len(stroke)]
    if not strokes:
        raise InkError(EMPTY)
    points = np.concatenate(strokes)
    if not (np.abs(points) <= MAX_COORDINATE).all():  # a NaN fails this too
        raise InkError("The drawing has points far outside the canvas. Clear it and draw again.")
    low = points.min(axis=0)
    span = float((points.max(axis=0) - low).max())
    if span < DOT:
        raise InkError("No digit found: there is only a dot. Draw a larger digit.")

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


def from_picture(source: bytes | Path | Image.Image) -> NDArray[np.float32]:
    """A picture of one digit as MNIST would have it: (28, 28) float32 in [0, 1], ink is 1.

    `source` is a PNG, JPEG or WebP of at most 16 MB and 40 megapixels, or a picture already open;
    dark ink on a light ground or light on dark. Raises `InkError` if it cannot be read or holds
    no digit.
    """
    ink, edge = _digit(_without_ground(_grey(source)))
    enlarge = max(1.0, BOX * FINE / max(ink.shape))
    size = (round(ink.shape[1] * enlarge), round(ink.shape[0] * enlarge))
    sharp = Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)
    return _place(_fit(_even_out(np.asarray(sharp) > edge)))


def _grey(source: bytes | Path | Image.Image) -> Floats:
    """The picture upright, its transparency filled: (H, W) in [0, 1], 1 is white.

    H and W are at most `WORKING_SIDE`. Sizes are checked on the header, before decoding.
    """
    picture = source if isinstance(source, Image.Image) else _open(source)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InkError(TOO_LARGE)
    if min(width, height) < MIN_SIDE:
        raise InkError(
            f"No digit found: the picture has only {width} × {height} pixels. Upload a larger one."
        )
    # An MPO is a phone's JPEG with further pictures behind the photo, such as a depth map.
    if getattr(picture, "is_animated", False) and picture.format != "MPO":
        raise InkError("The picture is animated. Upload a still one.")
    try:
        if picture is not source:  # a JPEG can be decoded at 1/2, 1/4 or 1/8 size, in less memory
            picture.draft("L", (WORKING_SIDE, WORKING_SIDE))
        deep = picture.mode.startswith("I")  # 16 bits a pixel; made "L", it would be clipped
        mode = "F" if deep else "RGBA" if picture.has_transparency_data else "L"
        small = picture.convert(mode).reduce(math.ceil(max(picture.size) / WORKING_SIDE))
        small = ImageOps.exif_transpose(small)
    except Exception as error:  # Pillow raises all kinds of errors for damaged files
        raise InkError("The picture is damaged and cannot be decoded. Upload another.") from error
    if mode == "RGBA":
        return _filled(np.asarray(small.convert("LA"), np.float32) / 255)
    return np.asarray(small, np.float32) / (65535 if deep else 255)


def _open(source: bytes | Path) -> Image.Image:
    """The picture in `source`, of which only the header has been decoded."""
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InkError(f"{source!s} cannot be read: {error.strerror}.") from error
    if len(source) > MAX_BYTES:
        raise InkError(TOO_LARGE)
    try:
        return Image.open(io.BytesIO(source), formats=("PNG", "JPEG", "WEBP"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InkError(TOO_LARGE) from error
    except Exception as error:  # Pillow raises all kinds of errors for damaged files
        raise InkError("The file is no picture. Upload a PNG, JPEG or WebP.") from error


def _filled(grey_and_alpha: Floats) -> Floats:
    """(H, W, 2) grey and opacity in [0, 1] → (H, W) grey, on a ground that the ink stands out from.

    Where most is opaque and has several tones, ink and ground are both in the colours; else the
    ink is what is opaque, and a white one needs a black ground.
    """
    grey, alpha = grey_and_alpha[..., 0], grey_and_alpha[..., 1]
    seen = grey[alpha > alpha.max() / 2]
    if not len(seen):
        return alpha  # all transparent: blank
    tone = float(np.median(seen))
    whole = len(seen) > grey.size / 2 and np.ptp(seen) > MIN_CONTRAST
    ground = tone if whole else float(tone < 0.5)
    return grey * alpha + ground * (1 - alpha)


def _without_ground(grey: Floats) -> Floats:
    """(H, W) grey → (H, W) strength of the ink, 0 on paper, whatever the paper's tone and shading.

    An even picture has the tone of its frame, and the rest may be filled with ink. In an uneven
    one the paper is the median over half the picture, which follows a shadow but no stroke. What
    differs most from the paper is ink, lighter or darker (cubes keep the sign); what differs by
    less than three standard deviations of the noise is none.
    """
    page = Image.fromarray(grey)
    width, height = (max(1, round(64 * side / max(page.size))) for side in page.size)
    small = np.asarray(page.resize((width, height), AREA))
    frame = np.concatenate([small[[0, -1]].ravel(), small[:, [0, -1]].ravel()])
    paper = np.full_like(small, np.median(frame))
    if np.median(np.abs(frame - paper[0, 0])) > UNEVEN:
        paper = ndimage.median_filter(small, (max(1, height // 2), max(1, width // 2)))
    ink = grey - np.asarray(Image.fromarray(paper).resize(page.size, Image.Resampling.BILINEAR))
    if (ink**3).sum() < 0:
        ink = -ink
    noise = np.percentile(np.abs(ink), 25) / 0.319  # a quarter of a normal sample is within 0.319
    return np.where(ink > 3 * noise, ink, 0)


def _digit(ink: Floats) -> tuple[Floats, float]:
    """The part of the ink (H, W) that is the digit, less any dirt, and the strength at its edge."""
    strong = ink[ink > _otsu(ink[ink > 0])] if ink.any() else ink
    edge = float(strong.mean()) / 2
    if 2 * edge < MIN_CONTRAST:
        raise InkError(BLANK)
    pieces, _ = ndimage.label(ink > edge, np.ones((3, 3)))
    areas = np.bincount(pieces.ravel())[1:]
    least = MIN_INK * max(ink.shape)  # pixels, of a digit's longer side and of a piece's area
    if areas.max() < least:
        raise InkError(BLANK)
    dirt = np.flatnonzero(areas < max(DIRT * areas.max(), least)) + 1
    ink = np.where(np.isin(pieces, dirt), 0, ink)
    rows, columns = _box(ink > edge)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if max(height, width) < least:
        raise InkError(BLANK)
    if width > FLAT * height:
        raise InkError("No digit found: there is only a flat line. Crop the picture to the digit.")
    return np.pad(ink[rows, columns], 2), edge


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

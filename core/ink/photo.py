"""Find the digits in a picture, on any paper and in any light.

The paper is estimated and subtracted. The rest is ink, whose connected pieces are grouped into
digits. Sizes are checked before decoding, because the file is untrusted.
"""

import io
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from core.errors import InkError
from core.ink.normalization import BOX, FINE, Digit, Floats, Mask, even_out, fit, ink_box, place
from core.ink.paper import one_tone, without_ground, without_lines
from core.ink.separation import (
    BLANK,
    FLAT,
    FLAT_LINE,
    MIN_CONTRAST,
    MIN_INK,
    find_pieces,
    group_pieces,
)

FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "BMP",
    "GIF",
    "TIFF",
    "AVIF",
)  # recognized by content, not by name
SUFFIXES = ("png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "avif")
UNREADABLE = ("heic", "heif")  # accepted for upload, so that the message can say what to do
MAX_BYTES = 16 * 2**20
MAX_PIXELS = 40_000_000
MAX_DECODED = 12_500_000  # pixels in memory, 4 bytes each; a JPEG is decoded at reduced size
MIN_SIDE = 8  # of a picture, pixels
FILLED = 0.8  # if opaque pixels fill this share of their box, they are a picture, not strokes
WORKING_SIDE = 1024  # longer side of the picture in which ink is sought, pixels

TOO_LARGE = "The picture is too large: at most 16 MB and 40 megapixels. Upload a smaller one."
FOREIGN = "The file is not a picture. Upload a PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF."
HEIC = "The picture is HEIC, a phone's own format, which is not read here. Save it as JPEG first."
TOO_LARGE_DECODED = (
    "The picture takes too much memory: at most 12 megapixels, unless it is an ordinary JPEG. "
    "Upload a smaller one, or save it as such a JPEG."
)


def from_picture(source: bytes | Path | Image.Image) -> list[Digit]:
    """Return the digits in a picture, row by row from the top, left to right in each.

    `source` is a file of one of FORMATS, of at most 16 MB and 40 megapixels (12 unless it is an
    ordinary JPEG, which is decoded at reduced size), or an open picture, with dark ink on a light
    ground or the reverse. Raises `InkError` if it cannot be read or contains no digit.
    """
    ink = strength(source)
    pieces, boxes, edge = find_pieces(ink)
    found, height, width = [], *ink.shape
    pixels = ndimage.value_indices(pieces, ignore_value=0)
    points = [np.stack(pixels[number + 1][::-1], 1) for number in range(len(boxes))]
    rows = group_pieces(boxes, points)
    for row, group in ((row, group) for row, groups in enumerate(rows) for group in groups):
        (left, top), (right, bottom) = boxes[group, :2].min(0), boxes[group, 2:].max(0)
        if max(right - left, bottom - top) < MIN_INK * max(ink.shape):
            continue
        if right - left > FLAT * (bottom - top):
            continue
        part = slice(int(top), int(bottom)), slice(int(left), int(right))
        others = (pieces[part] > 0) & ~np.isin(pieces[part], np.array(group) + 1)
        sharp = _sharp(np.pad(np.where(others, 0, ink[part]), 2), edge)
        box = float(left / width), float(top / height), float(right / width), float(bottom / height)
        found.append(Digit(place(fit(even_out(sharp))), box, row, sharp))
    if not found:
        flat = np.ptp(boxes[:, [0, 2]]) > FLAT * np.ptp(boxes[:, [1, 3]])
        raise InkError(FLAT_LINE if flat else BLANK)
    return found


def _sharp(ink: Floats, edge: float) -> Mask:
    """Return one digit's ink (H, W) as a sharp mask, cropped, enlarged to at least 160 pixels."""
    enlarge = max(1.0, BOX * FINE / max(ink.shape))
    size = (round(ink.shape[1] * enlarge), round(ink.shape[0] * enlarge))
    sharp = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)) > edge
    return np.asarray(sharp[ink_box(sharp)])


def strength(source: bytes | Path | Image.Image) -> Floats:
    """Return the strength of the ink (H, W), 0 on paper; each side is at most `WORKING_SIDE`.

    `source` has the same limits as in `from_picture`. Raises `InkError` if it cannot be read.
    """
    return without_lines(without_ground(_gray(source)))


def upright(source: bytes, side: int) -> Image.Image:
    """Return the picture upright, in RGB, with a longer side of at most `side` pixels.

    `source` has the same limits as in `from_picture`. Raises `InkError` if it cannot be read.
    """
    small = _bounded(source, side, "RGB")
    if small.mode == "F":
        small = Image.fromarray((np.asarray(small) / 257).astype(np.uint8))
    return small.convert("RGB")


def _gray(source: bytes | Path | Image.Image) -> Floats:
    """Return the picture in gray, upright and opaque: (H, W) in [0, 1], 1 is white.

    H and W are at most `WORKING_SIDE`.
    """
    small = _bounded(source, WORKING_SIDE, "RGB")
    if small.mode == "RGBA":
        return _filled(np.asarray(small.convert("LA"), np.float32) / 255)
    values = np.asarray(small, np.float32)
    if small.mode == "F":
        return values / max(float(values.max()), 1)  # many scanners use only a few of the 16 bits
    return one_tone(values / 255)


def _bounded(source: bytes | Path | Image.Image, side: int, mode: str) -> Image.Image:
    """Return the picture upright, with sides of at most `side` pixels.

    Its mode is `mode`, or RGBA with transparency, or F with 16 bits a pixel. Sizes are read from
    the header and checked before decoding.
    """
    picture = source if isinstance(source, Image.Image) else _open(source)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise InkError(TOO_LARGE)
    if min(width, height) < MIN_SIDE:
        raise InkError(f"The picture is too small: {width} × {height} pixels. Upload a larger one.")
    # An MPO is a phone's JPEG with further pictures after the photo, such as a depth map. Only the
    # first picture of a GIF, or page of a scan, is read.
    if getattr(picture, "is_animated", False) and picture.format not in ("MPO", "GIF", "TIFF"):
        raise InkError("The picture is animated. Upload a still one.")
    try:
        if picture is not source:  # a JPEG can be decoded at 1/2, 1/4 or 1/8 size, in less memory
            picture.draft(mode, (side, side))
        # A progressive JPEG is in memory at full size while it is decoded.
        pixels = width * height if "progressive" in picture.info else math.prod(picture.size)
        if picture is source or pixels <= MAX_DECODED:
            if picture.mode.startswith("I"):  # 16 bits a pixel: converting to "L" would clip them
                mode = "F"
            elif picture.has_transparency_data:
                mode = "RGBA"
            small = picture.convert(mode).reduce(math.ceil(max(picture.size) / side))
            return ImageOps.exif_transpose(small)
    except Exception as error:  # Pillow raises all kinds of errors for damaged files
        raise InkError("The picture is damaged and cannot be decoded. Upload another.") from error
    raise InkError(TOO_LARGE_DECODED)


def _open(source: bytes | Path) -> Image.Image:
    """Open the picture in `source`; only its header is decoded."""
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise InkError(
                f"{source!s} cannot be read: {error.strerror}. Check its name."
            ) from error
    if len(source) > MAX_BYTES:
        raise InkError(TOO_LARGE)
    try:
        return Image.open(io.BytesIO(source), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InkError(TOO_LARGE) from error
    except Exception as error:  # Pillow raises all kinds of errors for damaged files
        is_heic = source[4:8] == b"ftyp" and source[8:12] in (b"heic", b"heix", b"hevc", b"mif1")
        raise InkError(HEIC if is_heic else FOREIGN) from error


def _filled(gray_and_alpha: Floats) -> Floats:
    """Put gray with opacity (H, W, 2) on a ground that contrasts with the ink; return gray (H, W).

    If the opaque pixels fill their box and have several tones, the picture has its own ground.
    Otherwise they are the ink, and white ink gets a black ground.
    """
    gray, alpha = gray_and_alpha[..., 0], gray_and_alpha[..., 1]
    opaque = alpha > alpha.max() / 2
    if not opaque.any():
        return alpha  # all transparent: blank
    seen, box = gray[opaque], opaque[ink_box(opaque)]
    tone = float(np.median(seen))
    whole = box.mean() > FILLED and np.ptp(seen) > MIN_CONTRAST
    ground = tone if whole else float(tone < 0.5)
    return gray * alpha + ground * (1 - alpha)

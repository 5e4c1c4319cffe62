"""Separate ink from paper: shadows, the table under the sheet, and printed lines are not ink.

Dark areas are ink only if they are no wider than a stroke can be. A gray closing fills dark, thin
areas and leaves dark, wide ones, so that a shadow or a table belongs to the ground, whatever its
shape (see Serra, Image Analysis and Mathematical Morphology, 1982). A printed line is straight,
thin and as long as the page. It is removed except where a stroke crosses it, like staff lines in
printed music (Dalitz et al., "A comparative study of staff removal algorithms", IEEE Transactions
on Pattern Analysis and Machine Intelligence 30 (5), 2008).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.ink.borders import CUT, at_border
from core.ink.normalization import AREA, Floats, Mask

SAMPLED = 20_000  # pixels from which the principal components are computed
COLORED = 3  # another axis than the luma is used if colors vary at least this much more along it

GROUND_SIDE = 160  # longer side of the reduced picture in which the ground is estimated, pixels
THICKEST_STROKE = 0.5  # share of the longer side, for a filled thick 8; wider areas are ground
AREA_COUNTS = 1.5  # weight of the ink's share of the picture as evidence against it

WEAKEST = 0.2  # of the strongest ink; weaker ink is not taken for a line
LINES_SIDE = 256  # longer side of the reduced picture in which lines' slope is measured, pixels
LEAN = 5  # the greatest slope of lines, degrees
FRAME = 0.6  # the least length of a frame's line, as a share of the page's side
ALIKE = 0.75  # the least length of a line, as a share of the longest one
LONG = 0.9  # the least length of a line across the page, as a share of the page's side
THIN = 0.04  # the greatest thickness of a line, as a share of the page's longer side
REST = 0.1  # the least share of the ink that must remain without the lines


def one_tone(colors: Floats) -> Floats:
    """Reduce colors (H, W, 3) in [0, 1] to one tone (H, W) in which ink differs from its ground.

    It is the luma of ITU-R BT.601, unless the colors differ far more along their first principal
    component, as with green ink on red paper.
    """
    luma = colors @ np.array([0.299, 0.587, 0.114], np.float32)
    some = colors.reshape(-1, 3)[:: max(1, luma.size // SAMPLED)].astype(np.float64)
    spreads, axes = np.linalg.eigh(np.cov(some, rowvar=False))
    if luma.std() * COLORED < math.sqrt(spreads[-1] / 3):
        return np.asarray(colors @ (axes[:, -1] / math.sqrt(3)).astype(np.float32))
    return np.asarray(luma)


def without_ground(gray: Floats) -> Floats:
    """Return the strength of the ink (H, W) from gray (H, W): its difference from the ground.

    Differences below three standard deviations of the noise are 0.
    """
    page = Image.fromarray(gray)
    share = min(1.0, GROUND_SIDE / max(page.size))
    small = np.asarray(page.resize([max(1, round(share * side)) for side in page.size], AREA))
    dark, light = _closed(small), _closed(1 - small)  # the ground if the ink is dark, and if light
    if _unlikely(small, dark) <= _unlikely(1 - small, light):
        return _darker(gray, dark)
    return _darker(1 - gray, light)


def _darker(gray: Floats, closed: Floats) -> Floats:
    """Return how much darker a picture (H, W) is than the ground, which is given reduced."""
    # Between a sheet and a table, the ground is the table, so that the sheet's edge is not ink.
    ground = ndimage.minimum_filter(closed, 3)
    size = gray.shape[::-1]
    ink = np.asarray(Image.fromarray(ground).resize(size, Image.Resampling.BILINEAR)) - gray
    noise = np.percentile(np.abs(ink), 25) / 0.319  # a quarter of a normal sample is within 0.319 σ
    return np.where(ink > 3 * noise, ink, 0)


def _closed(gray: Floats) -> Floats:
    """Return a gray picture (H, W) without dark areas no wider than the thickest stroke.

    Dark areas at the border are assumed to continue beyond it, except strokes that it cuts.
    """
    side = max(3, math.ceil(THICKEST_STROKE * max(gray.shape)))
    border = at_border(gray)
    framed = np.pad(np.where(border.strokes, border.paper, gray), 1, "edge")
    tables = np.pad(border.tables, 1, "edge")
    for cut in ((0,), (-1,), (slice(None), 0), (slice(None), -1)):
        lifted = ndimage.grey_closing(framed[cut], max(3, math.ceil(CUT * len(framed[cut]))))
        framed[cut] = np.where(tables[cut], framed[cut], lifted)
    framed[1:-1, 1:-1] = gray
    closed = ndimage.grey_closing(np.pad(framed, side, "edge"), (side, side))
    return np.asarray(closed[side + 1 : -side - 1, side + 1 : -side - 1])


def _unlikely(gray: Floats, ground: Floats) -> float:
    """Return how unlikely dark ink is, from the variation that remains without it and its area.

    Little remains without the true ink. On a table, a light sheet might be the ink too, but it
    would cover much of the picture.
    """
    ink = ground - gray
    area = float((ink > ink.max() / 2).mean()) if ink.max() > 0 else 0
    return _variation(ground) / max(_variation(gray), 1e-9) + AREA_COUNTS * area


def _variation(tones: Floats) -> float:
    """Return the sum of the differences between neighboring pixels."""
    return float(np.abs(np.diff(tones, axis=0)).sum() + np.abs(np.diff(tones, axis=1)).sum())


def without_lines(ink: Floats) -> Floats:
    """Return ink (H, W) without printed lines: those across the page, frames, and squares.

    A line is thin and straight, with a slope of at most LEAN. It crosses the page, or is part of a
    frame, which has at least two lines in either direction. Strokes that cross it remain.
    """
    mask = ink > WEAKEST * ink.max()
    if not mask.any():
        return ink
    both = _lines(mask), _lines(mask.T)
    is_framed = all(len(lines) >= 2 for lines in both)
    bare = mask.copy()
    for lines, turned in zip(both, (bare, bare.T), strict=True):
        for line in lines:
            if is_framed or line.is_across:
                line.erase(turned)
    return np.where(bare, ink, 0) if bare.sum() >= REST * mask.sum() else ink


@dataclass(frozen=True)
class _Line:
    """A nearly horizontal line in a mask: its first row in each column, `(W,)`, and thickness."""

    rows: NDArray[np.int64]
    thickness: int
    is_across: bool

    def erase(self, mask: Mask) -> None:
        """Remove the line from a mask (H, W), except in the columns where a stroke crosses it."""
        columns = np.arange(mask.shape[1])
        margin = 2 + self.thickness // 2
        reach = range(-margin, self.thickness + margin)
        rows = [(self.rows + away).clip(0, len(mask) - 1) for away in reach]
        alone = ~(mask[rows[0], columns] | mask[rows[-1], columns])
        for row in rows:
            mask[row[alone], columns[alone]] = False


def _lines(mask: Mask) -> list[_Line]:
    """Return the nearly horizontal lines in a mask (H, W) that are long enough for a frame."""
    height, width = mask.shape
    across = np.arange(width) - width // 2
    slope = _slope(mask)
    shift = np.rint(slope * across).astype(np.int64)
    level = mask[(np.arange(height)[:, None] + shift).clip(0, height - 1), np.arange(width)]
    covered = level.mean(1)
    bands, count = ndimage.label(covered >= max(FRAME, ALIKE * covered.max()))
    lines = []
    for (rows,) in ndimage.find_objects(bands)[:count]:
        thickness = rows.stop - rows.start
        if thickness <= max(2, THIN * max(mask.shape)):
            inked = level[rows].any(0)
            is_across = bool(inked.mean() >= LONG and inked[:3].any() and inked[-3:].any())
            lines.append(_Line(rows.start + shift, thickness, is_across))
    return lines


def _slope(mask: Mask) -> float:
    """Return the slope of a mask's (H, W) nearly horizontal lines: along it, rows are fullest."""
    step = math.ceil(max(mask.shape) / LINES_SIDE)
    rows, columns = np.nonzero(mask)
    rows, columns = rows // step, (columns - mask.shape[1] // 2) // step
    most = math.tan(math.radians(LEAN)) * LINES_SIDE / 2  # rows, at the end of a line

    def fullness(slope: float) -> float:
        level = np.rint(rows - slope * columns).astype(np.int64)
        return float((np.bincount(level - level.min()).astype(float) ** 2).sum())

    slopes = np.arange(-round(most), round(most) + 1) / (LINES_SIDE / 2)
    return float(max(sorted(slopes, key=abs), key=fullness))

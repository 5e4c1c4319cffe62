"""Classify dark areas at a picture's border: strokes that it cuts, or the table beside the sheet.

The table beside a sheet, or the shadow of a fold, follows the border as a strip or a wedge. A
stroke leaves the border towards the middle of the picture.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.ink.normalization import Floats, Mask
from core.ink.separation import otsu

CUT = 0.65  # share of a border; a piece that is dark along less of it is a cut stroke
FOLLOWS = 0.3  # share of a border along which a piece must be dark to follow it
BESIDE = 0.2  # share of the picture's side; a table or shadow reaches at most this far inside
MIDDLE = 0.35  # share of the picture's side from which the middle begins, which strokes reach
CROSSES = 0.25  # the least share of a stroke at a border that is in the middle
LINE = 0.04  # the greatest thickness of a printed line, as a share of the picture's longer side
THICK = 0.15  # the greatest depth of a stroke from its edge, as a share of the longer side
ONE_TONE = 0.2  # the greatest difference of tones in one stroke, as a share of the picture's range
STRAY = 0.02  # the share of a table that may reach further inside than BESIDE
TAPERS = 0.75  # share of its box that a wedge fills at most; a bar fills more
OTHERS = 0.005  # share of the picture; with less ink elsewhere, nothing is taken for a table


@dataclass(frozen=True, eq=False)
class Border:
    """The dark areas at the border of a gray picture (H, W): `strokes` and `tables` are (H, W).

    `paper` is the tone of the paper.
    """

    strokes: Mask
    tables: Mask
    paper: float


def at_border(gray: Floats) -> Border:
    """Return the strokes and tables at the border of a gray picture (H, W), judged by shape."""
    edge = otsu(gray - gray.min()) + gray.min() if np.ptp(gray) > 0 else gray.min()
    dark = gray < edge
    pieces, count = ndimage.label(dark, np.ones((3, 3)))
    far = _distances(gray.shape)
    strokes, tables = np.zeros(gray.shape, bool), np.zeros(gray.shape, bool)
    for number in range(1, count + 1):
        piece = pieces == number
        runs = _runs(piece, 0)
        if runs.max() < FOLLOWS:
            continue
        away = far[runs >= FOLLOWS].min(axis=0)[piece]
        middle = away > MIDDLE
        if middle.mean() >= CROSSES and _is_stroke(piece, runs):
            tones = gray[piece]
            apart = abs(np.median(tones[middle]) - np.median(tones[away <= LINE]))
            if apart <= ONE_TONE * np.ptp(gray):  # ink that runs into a shadow is darker than that
                strokes |= piece
        elif (away > BESIDE).mean() <= STRAY and (runs.max() >= CUT or _tapers(piece, runs)):
            tables |= piece
    if (dark & ~tables).mean() < OTHERS:
        tables[:] = False
    return Border(strokes, tables, float(np.median(gray[~dark])))


def _distances(shape: tuple[int, ...]) -> Floats:
    """Return `(4, H, W)` distances from the top, the bottom, the left and the right, in [0, 1]."""
    down, across = np.mgrid[0 : shape[0], 0 : shape[1]]
    down, across = down / max(shape[0] - 1, 1), across / max(shape[1] - 1, 1)
    return np.stack([down, 1 - down, across, 1 - across])


def _runs(piece: Mask, inside: int) -> Floats:
    """Return the share of the line `inside` pixels from each border that a piece covers, (4,)."""
    last = -1 - inside
    return np.array(
        [line.mean() for line in (piece[inside], piece[last], piece[:, inside], piece[:, last])]
    )


def _is_stroke(piece: Mask, runs: Floats) -> bool:
    """Return whether a piece (H, W) is thicker than a printed line and thinner than a shadow."""
    longer = max(piece.shape)
    deeper = _runs(piece, min(math.ceil(LINE * longer), min(piece.shape) - 1))
    depth = ndimage.distance_transform_edt(np.pad(piece, 1))
    return bool(((runs >= CUT) & (deeper >= FOLLOWS)).any() and depth.max() <= THICK * longer)


def _tapers(piece: Mask, runs: Floats) -> bool:
    """Return whether a piece (H, W) is a wedge in a corner; `runs (4,)`: along each border."""
    rows, columns = np.flatnonzero(piece.any(1)), np.flatnonzero(piece.any(0))
    box = piece[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    corners = piece[[0, 0, -1, -1], [0, -1, 0, -1]]
    return bool(corners.any() and box.mean() <= TAPERS)

"""Tell what reaches a picture's border: a stroke that it cuts, or what lies beside the sheet.

Both are dark. The table beside a sheet, or a fold's shadow, follows the border, as a strip or a
wedge; a stroke leaves it for the middle of the picture.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from core.ink.normalization import Floats, Mask
from core.ink.separation import otsu

CUT = 0.65  # of a border: what is dark along less of it is a stroke that the border cuts
FOLLOWS = 0.3  # of a border: what follows it is dark along as much of it, at least
BESIDE = 0.2  # of the picture's side: how far what follows a border reaches inside
MIDDLE = 0.35  # of the picture's side: from here on is the middle, which strokes reach
CROSSES = 0.25  # of a stroke along a border: its share in the middle, at least
LINE = 0.04  # of the picture's longer side: the most that a printed line is thick
THICK = 0.15  # of the picture's longer side: from an edge of a stroke to its middle, at most
ONE_TONE = 0.2  # of the picture's tones: how much those of one stroke differ, at most
STRAY = 0.02  # of what follows a border: the share that may reach further inside
TAPERS = 0.75  # of its box: a wedge fills less, a bar more
OTHERS = 0.005  # of the picture: the ink elsewhere, without which nothing is taken for a table


@dataclass(frozen=True, eq=False)
class Border:
    """Where dark reaches the border of gray (H, W): `strokes` and `tables` are (H, W).

    `paper` is the tone of the rest.
    """

    strokes: Mask
    tables: Mask
    paper: float


def at_border(gray: Floats) -> Border:
    """Return what reaches the border of gray (H, W), as far as its shape tells."""
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
            if apart <= ONE_TONE * np.ptp(gray):  # ink that runs into a shadow is darker than it
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
    """Return how much of each line `inside` pixels from the borders is in a piece (H, W), (4,)."""
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

"""Cut ink that may be two digits that touch.

The cuts are the paths from top to bottom that cross the least ink, like seams in seam carving
(Avidan and Shamir, "Seam carving for content-aware image resizing", 2007). The network decides
whether the halves are digits: see `core.reading.one_or_two`.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.ink.normalization import AREA, Digit, Mask, even_out, fit, ink_box, place

WIDE = 0.6  # width to height: narrower ink is one digit
_HEIGHT = 64  # pixels; the ink is scaled to this height to find seams
_MIDDLES = tuple(share / 100 for share in range(20, 81, 6))  # of the windows, shares of the width
_WINDOW = 0.12  # width of a window, a share of the ink's width; each window gives one seam
_SIDESTEP = 0.05  # the cost of a step to the side, in pixels of ink
_CROSSED = 1.8  # a cut may cross this many stroke widths of ink; more would cut single digits
_TALL = 0.6  # the least height of both halves, as a share of the ink's height


def halves(digit: Digit) -> list[tuple[Digit, Digit]]:
    """Return the pairs of digits that a digit found in a picture may be; none for a drawn digit."""
    if digit.ink is None:
        return []
    left, top, right, bottom = digit.box
    height, width = digit.ink.shape

    def half(ink: Mask) -> Digit:
        rows, columns = ink_box(ink)
        box = (
            left + (right - left) * columns.start / width,
            top + (bottom - top) * rows.start / height,
            left + (right - left) * columns.stop / width,
            top + (bottom - top) * rows.stop / height,
        )
        return Digit(place(fit(even_out(ink))), box, digit.row)

    return [(half(one), half(other)) for one, other in cuts(digit.ink)]


def cuts(ink: Mask) -> list[tuple[Mask, Mask]]:
    """Return the ways to cut ink (H, W) into a left and a right half, (H, W) each."""
    height, width = ink.shape
    if width < WIDE * height:
        return []
    size = (max(round(width * _HEIGHT / height), 2), _HEIGHT)
    small = np.asarray(Image.fromarray(ink.astype(np.uint8) * 255).resize(size, AREA)) > 127
    rows = np.arange(height) * _HEIGHT // height
    found = []
    for seam in np.unique(_seams(small), axis=0):
        if small[np.arange(_HEIGHT), seam].sum() > _CROSSED * _stroke(small):
            continue
        left = np.arange(width) < ((seam[rows] + 0.5) * width / size[0])[:, None]
        halves = ink & left, ink & ~left
        if min(map(_height, halves)) >= _TALL * height:
            found.append(halves)
    return found


def _seams(ink: Mask) -> NDArray[np.intp]:
    """Return, for each window, the path that crosses the least ink, as its column in each row.

    `ink` is (H, W), and the paths are (windows, H).
    """
    height, width = ink.shape
    span = max(round(_WINDOW * width), 2)
    firsts = np.array([int((middle - _WINDOW / 2) * width) for middle in _MIDDLES])
    ground = ink[:, np.minimum(firsts[:, None] + np.arange(span), width - 1)].astype(float)
    steps = np.zeros(ground.shape, np.intp)  # (H, windows, span), as the ground
    cost = ground[0]
    for row in range(1, height):
        beside = np.pad(cost + _SIDESTEP, ((0, 0), (1, 1)), constant_values=np.inf)
        ways = np.stack([beside[:, :-2], cost, beside[:, 2:]])
        steps[row] = ways.argmin(axis=0)
        cost = ways.min(axis=0) + ground[row]
    every, column = np.arange(len(firsts)), cost.argmin(axis=1)
    seams = [column]
    for row in range(height - 1, 0, -1):
        column = column + steps[row, every, column] - 1
        seams.append(column)
    return np.asarray(firsts[:, None] + np.stack(seams[::-1], axis=1))


def _stroke(ink: Mask) -> float:
    """Return the stroke width in pixels, at least 1, measured as in `even_out`."""
    depth = ndimage.distance_transform_edt(np.pad(ink, 1))
    return max(4 * (float(depth[depth > 0].mean()) - 0.5), 1)


def _height(ink: Mask) -> int:
    rows = np.flatnonzero(ink.any(axis=1))
    return int(rows[-1] - rows[0]) + 1 if len(rows) else 0

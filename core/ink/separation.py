"""Ink → its connected pieces, and which of them make up each digit."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import InkError
from core.ink.normalisation import Floats

MIN_CONTRAST = 0.1  # between ink and paper; black to white is 1
MIN_INK = 0.02  # longer side of a digit in parts of the picture's
DIRT = 0.02  # area of a speck in parts of the largest piece of ink's
FLAT = 4  # what is so many times wider than high is no digit

BLANK = (
    "No digit found: the picture looks blank. "
    "Use a darker pen or more light, or crop the picture to the digit."
)
FLAT_LINE = "No digit found: there is only a flat line. Crop the picture to the digit."

PART = 0.35  # of the ink's height: what is lower is a part of the digit next to it
SHARED = 0.2  # of the narrower one's width: pieces that stand so far above each other are one digit
NARROW = 0.2  # of the ink's height: the width that a piece has at least, when that is compared
MAX_DIGITS = 20
ROW_GAP = 0.05  # of the lower row's height: what is nearer below or above is in the same row


def find_pieces(ink: Floats) -> tuple[NDArray[np.int32], Floats, float]:
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


def group_pieces(boxes: Floats) -> list[list[list[int]]]:
    """The numbers of the pieces of each digit, row by row from the top, left to right in each.

    `boxes` are (N, 4): left, top, right, bottom. Single digits above each other cannot be told from
    the parts of one, and are taken for it. Raises `InkError` if there are more than MAX_DIGITS.
    """
    rows = [
        [[row[number] for number in group] for group in _digits_of_row(boxes[row])]
        for row in _rows(boxes)
    ]
    if len(rows) > 1 and all(len(row) == 1 for row in rows):
        rows = [_digits_of_row(boxes)]  # strokes above each other, as of a broken 1 or 8
    if sum(map(len, rows)) > MAX_DIGITS:
        raise InkError(f"More than {MAX_DIGITS} digits. Show fewer at once.")
    return rows


def _rows(boxes: Floats) -> list[list[int]]:
    """The numbers of the pieces in each row, from the top.

    Rows are parted by empty bands. A band that is narrower than ROW_GAP of the lower row's height
    parts nothing, nor does one beside a row lower than PART of the highest: that is a bar of the
    digits next to it.
    """
    rows: list[list[int]] = []
    for number in np.argsort(boxes[:, 1], kind="stable").tolist():
        if rows and boxes[number, 1] <= boxes[rows[-1], 3].max():
            rows[-1].append(number)
        else:
            rows.append([number])
    highest = max(_height(boxes[row]) for row in rows)
    joined = rows[:1]
    for row in rows[1:]:
        above, below = boxes[joined[-1]], boxes[row]
        lower = min(_height(above), _height(below))
        gap = float(below[:, 1].min() - above[:, 3].max())
        if lower < PART * highest or gap < ROW_GAP * lower:
            joined[-1] = joined[-1] + row
        else:
            joined.append(row)
    return joined


def _height(boxes: Floats) -> float:
    """The height that some boxes span together."""
    return float(boxes[:, 3].max() - boxes[:, 1].min())


def _digits_of_row(boxes: Floats) -> list[list[int]]:
    """The numbers of the pieces of each digit in one row, left to right.

    Pieces are one digit if they stand above each other for SHARED of the narrower one's width. What
    is lower than PART of the row's height (a bar, a dot) goes with the nearest that is not.
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
    return groups

"""Find the connected pieces of ink, and group them into digits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from core.errors import InkError
from core.ink.normalization import Floats

MIN_CONTRAST = 0.1  # between ink and paper; black to white is 1
MIN_INK = 0.02  # longer side of a digit, as a share of the picture's
DIRT = 0.02  # area of a speck of dirt, as a share of the largest piece's
FLAT = 4  # width to height: a piece wider than this is a line, not a digit

BLANK = (
    "No digit found: the picture looks blank. "
    "Use a darker pen or more light, or crop the picture to the digit."
)
SIDEWAYS = (
    "No row of digits found: they stand above each other. "
    "Turn the picture, or crop it to a single digit."
)
FLAT_LINE = "No digit found: there is only a flat line. Crop the picture to the digit."

PART = 0.35  # a piece lower than this share of the ink's height is part of the digit beside it
SHARED = 0.2  # pieces that overlap by this share of the narrower one's width belong together
NARROW = 0.2  # the least width of a piece in that comparison, as a share of the ink's height
OPEN_LOW = 0.2  # the bar of an open 4 ends at least this share of its height below its L
OPEN_TOP = 0.25  # the bar begins at most this share of its height above the L
OPEN_GAP = 0.4  # the greatest gap between L and bar, as a share of the height
STRAIGHT = 0.2  # the greatest ratio of a bar's spread across it to its spread along it
FOOT = 0.5  # an L reaches farthest right below this share of its height
LOW = 0.65  # a comma begins below this share of the row's height
LEVEL = (0.25, 0.75)  # the middle of a minus is between these shares of the row's height
MINUS_GAP = 0.05  # the least gap between a minus and the first digit, as a share of the height
MAX_DIGITS = 20
COLUMN = 4  # this many single pieces above each other are more than the parts of a digit
ROW_GAP = 0.05  # the least gap between rows, as a share of the lower row's height


def find_pieces(ink: Floats) -> tuple[NDArray[np.int32], Floats, float]:
    """Return the connected pieces of ink (H, W) without dirt, their boxes, and the threshold used.

    The pieces are (H, W): the number of each pixel's piece, counted from 1, or 0. The boxes are
    (N, 4): left, top, right, bottom. Raises `InkError` if there is no ink.
    """
    strong = ink[ink > otsu(ink[ink > 0])] if ink.any() else ink
    edge = float(strong.mean()) / 2
    if 2 * edge < MIN_CONTRAST:
        raise InkError(BLANK)
    pieces, count = ndimage.label(ink > edge, np.ones((3, 3)))
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    least = MIN_INK * max(ink.shape)  # pixels; the least area of a piece too
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


def otsu(values: Floats) -> float:
    """Return the threshold that splits `values` into two classes with the largest variance between.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems,
    Man, and Cybernetics 9 (1), 1979.
    """
    counts, edges = np.histogram(values, 256, (0, values.max()))
    mass = np.cumsum(counts * edges[1:])
    below = np.cumsum(counts)[:-1]
    above = values.size - below  # never 0: the largest value is in the last bin
    gap = (mass[-1] - mass[:-1]) / above - mass[:-1] / np.maximum(below, 1)
    return float(edges[1 + np.argmax(below * above * gap**2)])


def group_pieces(boxes: Floats, points: Sequence[Floats]) -> list[list[list[int]]]:
    """Group pieces into digits: the indices of each digit's pieces, row by row, left to right.

    `boxes` are (N, 4): left, top, right, bottom; `points` are each piece's ink, (M, 2): x, y. A
    column of two single digits counts as one digit, since it looks like the parts of one.
    Raises `InkError` for a longer column, and for more than MAX_DIGITS.
    """
    rows = [
        [
            [row[number] for number in group]
            for group in _digits_of_row(boxes[row], [points[piece] for piece in row])
        ]
        for row in _rows(boxes)
    ]
    if len(rows) > 1 and all(len(row) == 1 for row in rows):
        if len(rows) >= COLUMN:
            raise InkError(SIDEWAYS)
        rows = [_digits_of_row(boxes, points)]  # such as the parts of a broken 1 or 8
    if sum(map(len, rows)) > MAX_DIGITS:
        raise InkError(f"The picture has more than {MAX_DIGITS} digits. Use fewer at a time.")
    return rows


def _rows(boxes: Floats) -> list[list[int]]:
    """Return the indices of the pieces in each row, from the top.

    Empty bands separate rows. A band narrower than ROW_GAP of the lower row's height does not, nor
    does one next to a row lower than PART of the highest, which is a bar of a digit beside it.
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
    """Return the height of the boxes together."""
    return float(boxes[:, 3].max() - boxes[:, 1].min())


def _digits_of_row(boxes: Floats, points: Sequence[Floats]) -> list[list[int]]:
    """Return the indices of each digit's pieces in one row, left to right.

    Pieces belong together if they overlap horizontally by SHARED of the narrower one's width. A
    piece lower than PART of the row's height (a bar, a dot) belongs to the nearest digit, unless it
    is a comma or a minus: those are left out.
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
    groups = _with_open_fours(boxes, points, groups)
    ends = [[boxes[group, 0].min(), boxes[group, 2].max()] for group in groups]
    for number in np.flatnonzero(~whole).tolist():
        if _is_mark(boxes[number], boxes[:, 1].min(), height, ends):
            continue
        gaps = [max(left - middle[number], middle[number] - right, 0) for left, right in ends]
        groups[int(np.argmin(gaps))].append(number)
    return groups


def _is_mark(box: Floats, top: float, height: float, ends: Sequence[Sequence[float]]) -> bool:
    """Return whether a low piece is a comma beside digits, or a minus before them.

    `box` is its left, top, right and bottom; `ends` are the left and right of each digit, in order.
    """
    left, upper, right, lower = box
    is_beside = all(right <= start or left >= end for start, end in ends)
    is_first = right + MINUS_GAP * height <= ends[0][0]
    is_flat = right - left > lower - upper
    is_level = LEVEL[0] <= ((upper + lower) / 2 - top) / height <= LEVEL[1]
    return bool(is_beside and (upper - top >= LOW * height or (is_first and is_flat and is_level)))


def _with_open_fours(
    boxes: Floats, points: Sequence[Floats], groups: list[list[int]]
) -> list[list[int]]:
    """Return the groups of a row, with the two parts of each open 4 joined.

    Many people write a 4 as an L and a bar that do not touch. The L ends well above the bar,
    whereas the digits of a number stand on one line.
    """
    joined = groups[:1]
    for group in groups[1:]:
        left, bar = boxes[joined[-1]], boxes[group]
        height = _height(np.concatenate([left, bar]))
        ends_above = bar[:, 3].max() - left[:, 3].max() >= OPEN_LOW * height
        begins_beside = left[:, 1].min() - bar[:, 1].min() <= OPEN_TOP * height
        is_near = bar[:, 0].min() - left[:, 2].max() <= OPEN_GAP * height
        if (
            (ends_above and begins_beside and is_near)
            and _is_straight(np.concatenate([points[piece] for piece in group]))
            and _is_l(np.concatenate([points[piece] for piece in joined[-1]]))
        ):
            joined[-1] = joined[-1] + group
        else:
            joined.append(group)
    return joined


def _is_straight(points: Floats) -> bool:
    """Return whether ink at `points (N, 2)` is a straight line."""
    if len(points) < 3:
        return len(points) == 2
    across, along = np.linalg.eigvalsh(np.cov(points, rowvar=False))
    return bool(across <= STRAIGHT**2 * along)


def _is_l(points: Floats) -> bool:
    """Return whether ink at `points (N, 2)` reaches farthest right in its lower half."""
    x, y = points.T
    return bool(y[x.argmax()] - y.min() >= FOOT * np.ptp(y)) and not _is_straight(points)

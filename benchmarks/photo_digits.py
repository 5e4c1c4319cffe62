"""Digits as people write them on a page: other forms, stray marks, several in rows."""

import math

import numpy as np
from PIL import Image

from benchmarks.photo_pages import PEN, Floats, Random, gray, ink_of, inked, scaled
from core.data.people import Strokes
from core.training.handwriting import SIDE


def flagged(digits: list[Strokes], random: Random) -> Image.Image:
    """A 1 with a flag: a stem of 135 px, a flag of 50 px at 40°."""
    lean, angle = random.uniform(-10, 15), math.radians(40 + random.uniform(-8, 8))
    top = np.array([140 + lean, 70.0])
    flag = top + 50 * np.array([-math.cos(angle), math.sin(angle)])
    return gray(inked(ink_of([[np.array([flag, top, (140, 205)])]])))


def slashed(digits: list[Strokes], random: Random) -> Image.Image:
    """A 0 with a slash."""
    points = np.concatenate(digits[0])
    low, high = points.min(0), points.max(0)
    over = random.uniform(-0.1, 0.12) * (high - low)
    slash = np.array([(low[0] - over[0], high[1] + over[1]), (high[0] + over[0], low[1] - over[1])])
    return gray(inked(ink_of([[*digits[0], slash]])))


def barred(digits: list[Strokes], random: Random) -> Image.Image:
    """A 7 with a bar."""
    across, down = random.uniform(80, 120), random.uniform(60, 80)
    left, slant = 140 - across / 2, random.uniform(0, 30)
    seven = np.array([(left, down), (left + across, down), (left + slant + across / 4, 220)])
    middle = (seven[1] + seven[2]) / 2
    half = np.array([across / 3, -4])
    bar = np.array([middle - half, middle + half])
    return gray(inked(ink_of([[seven, bar]])))


def open_four(digits: list[Strokes], random: Random) -> Image.Image:
    """An L and a bar, 6 px apart."""
    height, foot = random.uniform(70, 100), random.uniform(60, 80)
    left = np.array([(80, 60), (75, 60 + height), (80 + foot, 60 + height)], float)
    bar = np.array([(80 + foot + PEN + 6, 50), (80 + foot + PEN + 2, 220)], float)
    return gray(inked(ink_of([[left, bar]])))


def slanted_ten(digits: list[Strokes], random: Random) -> Image.Image:
    """A slanted 1 whose top hangs over the 0 after it."""
    lean = random.uniform(45, 75)
    one = [np.array([(60 + lean, 60), (60, 220)], float)]
    zero = scaled(digits[1], 0.75, 60 + lean * random.uniform(0.6, 0.8) + 2 * PEN, 90)
    return gray(inked(ink_of([one, zero], (360, SIDE))))


def stray_dash(digits: list[Strokes], random: Random) -> Image.Image:
    """A short dash above, below or beside the digit."""
    points = np.concatenate(digits[0])
    low, high = points.min(0), points.max(0)
    spots = [
        ((low[0] + high[0]) / 2, low[1] - random.uniform(40, 55)),
        (low[0] - random.uniform(40, 60), random.uniform(low[1], high[1])),
        (high[0] + random.uniform(40, 60), random.uniform(low[1], high[1])),
    ]
    middle = np.array(spots[random.integers(3)])
    half = np.array([random.uniform(8, 14), 1])
    dash = np.array([middle - half, middle + half])
    placed = [[stroke + 60 for stroke in [*digits[0], dash]]]
    return gray(inked(ink_of(placed, (SIDE + 120, SIDE + 120))))


def beside(digits: list[Strokes], random: Random, gap: tuple[float, float] = (25, 45)) -> Floats:
    """Return the ink of digits in a row."""
    placed, right = [], 30.0
    for digit in digits:
        placed.append(scaled(digit, 0.7, right, 50 + random.uniform(-8, 8)))
        right = float(np.concatenate(placed[-1])[:, 0].max()) + random.uniform(*gap)
    return ink_of(placed, (int(right) + 10, 240))


def row(digits: list[Strokes], random: Random) -> Image.Image:
    """Digits beside each other."""
    return gray(inked(beside(digits, random)))


def many_rows(digits: list[Strokes], random: Random) -> Image.Image:
    """Rows of five, 20 or 60 px apart."""
    gap, placed, top = random.choice([20, 60]) + PEN, [], 40.0
    for start in range(0, len(digits), 5):
        left = 40.0
        row = [scaled(digit, 0.6, 0, 0) for digit in digits[start : start + 5]]
        for digit in row:
            placed.append(scaled(digit, 1, left, top))
            left = float(np.concatenate(placed[-1])[:, 0].max()) + random.uniform(30, 50)
        top += max(float(np.concatenate(digit)[:, 1].max()) for digit in row) + gap
    right = max(float(np.concatenate(digit)[:, 0].max()) for digit in placed)
    return gray(inked(ink_of(placed, (int(right) + 40, int(top) + 20))))


def touching(digits: list[Strokes], random: Random) -> Image.Image:
    """Two digits that just touch."""
    first, second = (scaled(digit, 0.7, 30, 40) for digit in digits)
    away = float(np.concatenate(first)[:, 0].max()) - 30 + 2 * PEN
    one = ink_of([first], (560, 220)) > 0.5
    for shift in range(int(away), 0, -1):
        other = [stroke + np.array([shift, 0]) for stroke in second]
        if (one & (ink_of([other], (560, 220)) > 0.5)).sum() >= PEN:
            break
    return gray(inked(ink_of([first, other], (560, 220))))


def with_comma(digits: list[Strokes], random: Random) -> Image.Image:
    """Two digits with a decimal comma between them."""
    first = scaled(digits[0], 0.7, 40, 40)
    points = np.concatenate(first)
    foot = np.array([points[:, 0].max() + 28, points[:, 1].max() - 2])
    comma = [np.array([foot, foot + np.array([-6, 18])])]
    second = scaled(digits[1], 0.7, foot[0] + 28, 40)
    return gray(inked(ink_of([first, comma, second], (560, 280))))


def with_minus(digits: list[Strokes], random: Random) -> Image.Image:
    """A minus before two digits."""
    length = random.uniform(35, 60)
    minus = [np.array([(30, 118), (30 + length, 116)], float)]
    first = scaled(digits[0], 0.7, 30 + length + 35, 45)
    left = float(np.concatenate(first)[:, 0].max()) + 35
    return gray(inked(ink_of([minus, first, scaled(digits[1], 0.7, left, 45)], (640, 240))))


def sideways(digits: list[Strokes], random: Random) -> Image.Image:
    """Ten digits in a row, turned by a quarter."""
    turn = random.choice([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270])
    return row(digits, random).transpose(turn)

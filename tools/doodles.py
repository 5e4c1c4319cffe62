"""Drawings that are not digits: handwritten letters and doodles.

The detector of non-digits learns from some kinds; the others are kept for measuring it. A drawing
is a list of strokes, each `(N, 2)` points (x, y), y down, in any units.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

Strokes = list[NDArray[np.float64]]
Random = np.random.Generator
Doodle = Callable[[Random], Strokes]

# Without those that look like a digit: B, I, L, O, Q, S, Z, b, c, g, i, j, l, o, q, s, z.
LETTERS = "ACDEFGHJKMNPRTUVWXYadefhkmnprtuvwxy"
SHOWN = LETTERS[::2]  # the others are kept for measuring

# The corners of each letter's strokes: x from 0 to 4 and y from 0 to 6. Letters that look like a 0
# or a 4 when written by hand are left out: U, Y, u, v, y.
_CORNERS = {
    "A": "062046 1434",
    "C": "4130100105163645",
    "D": "0006 003041453606",
    "E": "40000646 0333",
    "F": "400006 0333",
    "G": "41301001051636454323",
    "H": "0006 4046 0343",
    "J": "4045361605",
    "K": "0006 400346",
    "M": "0600234046",
    "N": "06004640",
    "P": "06003041423303",
    "R": "06003041423303 2346",
    "T": "0040 2026",
    "V": "002640",
    "W": "0016233640",
    "X": "0046 4006",
    "a": "12324346 441405163645",
    "d": "4046 43120305163645",
    "e": "04444332120305163645",
    "f": "40302126 0343",
    "h": "0006 0412324346",
    "k": "0006 330436",
    "m": "0206 03122326 23324346",
    "n": "0206 0312324346",
    "p": "0006 0110304142331302",
    "r": "0206 04133243",
    "t": "20253646 0242",
    "w": "0216243642",
    "x": "0246 4206",
}


def written(letter: str, random: Random) -> Strokes:
    """Return a letter in a random handwriting, with sharp or round corners."""
    lean, wide = random.normal(0, 0.15), random.uniform(0.7, 1.3)
    strokes = []
    for corners in _CORNERS[letter].split():
        points = np.array([int(one) for one in corners], float).reshape(-1, 2)
        points += random.normal(0, 0.22, points.shape)
        points = points @ np.array([[wide, 0], [-lean, 1]])
        strokes.append(smooth(points) if len(points) > 2 and random.random() < 0.6 else points)
    return strokes


def letters_by_hand(wanted: str) -> dict[str, Doodle]:
    """Return the wanted letters, except those that look like a digit when written by hand."""
    return {
        letter: lambda random, letter=letter: written(letter, random)  # type: ignore[misc]
        for letter in wanted
        if letter in _CORNERS
    }


def smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a smooth line through `(N, 2)` points."""
    last = len(points) - 1
    line: NDArray[np.float64] = CubicSpline(range(len(points)), points)(
        np.linspace(0, last, 12 * last)
    )
    return line


def _around(
    turns: float, radius: Callable[[NDArray[np.float64]], NDArray[np.float64]], start: float = 0
) -> NDArray[np.float64]:
    """Return a line around the origin; its radius is a function of the angle in turns."""
    angle = np.linspace(0, turns, max(24, int(48 * turns)))
    away = radius(angle)[:, None]
    bend = 2 * math.pi * (angle + start)
    line: NDArray[np.float64] = away * np.stack([np.cos(bend), np.sin(bend)], 1)
    return line


def _circle(x: float, y: float, radius: float) -> NDArray[np.float64]:
    ring: NDArray[np.float64] = _around(1, lambda angle: radius + 0 * angle) + np.array([x, y])
    return ring


def _shaky(strokes: Strokes, random: Random) -> Strokes:
    """Return strokes turned and stretched a little, with a tremor."""
    angle, wide = random.normal(0, 0.15), random.uniform(0.75, 1.3)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return [
        (stroke + random.normal(0, 0.03, stroke.shape)) * (wide, 1) @ turn for stroke in strokes
    ]


def _spiral(random: Random) -> Strokes:
    way = random.choice([-1, 1])
    line = _around(random.uniform(2, 4), lambda angle: 0.1 + angle / 4, random.random())
    return [line * (way, 1)]


def _zigzag(random: Random) -> Strokes:
    count = int(random.integers(5, 10))
    line = np.stack([np.linspace(-1, 1, count), np.where(np.arange(count) % 2, 0.5, -0.5)], 1)
    return [line * (1, random.uniform(0.6, 1.6))]


def _wave(random: Random) -> Strokes:
    along = np.linspace(-1, 1, 60)
    heights = random.uniform(0.2, 0.6) * np.sin(random.uniform(6, 12) * along)
    return [np.stack([along, heights], 1)]


def _star(random: Random) -> Strokes:
    count = int(random.choice([5, 7]))
    corners = np.arange(count + 1) * (count // 2) / count * 2 * math.pi + random.random()
    return [np.stack([np.sin(corners), -np.cos(corners)], 1)]


def _polygon(random: Random) -> Strokes:
    count = int(random.integers(3, 5))
    corners = np.arange(count + 1) / count * 2 * math.pi + random.random()
    across = np.array([[-0.6, random.uniform(-0.2, 0.2)], [0.6, 0]])
    return [np.stack([np.sin(corners), -np.cos(corners)], 1), across]


def _arrow(random: Random) -> Strokes:
    head = random.uniform(0.3, 0.6)
    arrow = [np.array([[-1, 0], [1, 0]], float), np.array([[1 - head, -head], [1, 0]])]
    arrow.append(np.array([[1, 0], [1 - head, head]]))
    angle = random.choice([0, 1, 2, 3]) * math.pi / 2
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return [stroke @ turn for stroke in arrow]


def _smiley(random: Random) -> Strokes:
    mouth = _around(0.35, lambda angle: 0.55 + 0 * angle, 0.07) * (1, random.choice([-1, 1]))
    return [_circle(0, 0, 1), _circle(-0.4, -0.3, 0.1), _circle(0.4, -0.3, 0.1), mouth]


def _hash(random: Random) -> Strokes:
    away = random.uniform(0.25, 0.4)
    lines = [np.array([[-1, side], [1, side]]) for side in (-away, away)]
    return lines + [line[:, ::-1] for line in lines]


def _loops(random: Random) -> Strokes:
    along = np.linspace(0, random.uniform(3, 6), 120)
    bend = 2 * math.pi * along
    return [np.stack([along * 0.5 + 0.35 * np.sin(bend), -np.cos(bend)], 1)]


def _heart(random: Random) -> Strokes:
    angle = np.linspace(0, 2 * math.pi, 60)
    high = 13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle)
    return [np.stack([16 * np.sin(angle) ** 3, -high], 1) / 16]


def _house(random: Random) -> Strokes:
    walls = np.array([[-0.8, 0], [-0.8, 1], [0.8, 1], [0.8, 0]])
    return [walls, np.array([[-1, 0], [0, -1], [1, 0], [-1, 0]], float)]


def _flower(random: Random) -> Strokes:
    petals = int(random.integers(4, 7))
    ring = _around(1, lambda angle: 0.6 + 0.4 * np.cos(2 * math.pi * petals * angle))
    return [ring, _circle(0, 0, 0.2)]


def _tree(random: Random) -> Strokes:
    crown = [np.array([[0, y], [-0.5, y + 0.5], [0.5, y + 0.5], [0, y]]) for y in (-1, -0.6, -0.2)]
    return [*crown, np.array([[0, 0.3], [0, 0.9]])]


def _cloud(random: Random) -> Strokes:
    bumps = int(random.integers(5, 9))
    ring = _around(1, lambda angle: 0.7 + 0.3 * np.abs(np.sin(math.pi * bumps * angle)))
    return [ring * (1.4, 0.8)]


def _fish(random: Random) -> Strokes:
    bend = np.linspace(0.15, 0.85, 30) * 2 * math.pi
    body = np.stack([np.cos(bend), 0.5 * np.sin(bend)], 1)
    tail = np.array([[0.55, -0.4], [1.1, 0.45], [1.1, -0.45], [0.55, 0.4]])
    return [
        np.concatenate([tail[:1], body, tail]) * (random.choice([-1, 1]), 1),
        _circle(-0.5, -0.1, 0.06),
    ]


SHOWN_DOODLES: tuple[Doodle, ...] = (
    *(_spiral, _zigzag, _wave, _star, _polygon, _arrow, _smiley, _hash, _loops),
)
KEPT_DOODLES: tuple[Doodle, ...] = (_heart, _house, _flower, _tree, _cloud, _fish)


def doodle(kind: Doodle, random: Random) -> Strokes:
    """Return a doodle of a kind, drawn by an unsteady hand."""
    return _shaky(kind(random), random)

"""Drawings that are not digits: handwritten letters and doodles.

The detector of non-digits learns from some kinds; the others are kept for measuring it. What looks
like a digit is left out, such as a balloon on a string, which looks like a 9. A drawing is a list
of strokes, each `(N, 2)` points (x, y), y down, in any units.
"""

import math
from collections.abc import Callable
from functools import partial

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
        points = _corners(corners)
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


def _turn(angle: float) -> NDArray[np.float64]:
    """Return the matrix by which `(N, 2)` points are turned, by an angle in radians."""
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def _shaky(strokes: Strokes, random: Random) -> Strokes:
    """Return strokes turned and stretched a little, with a tremor."""
    angle, wide = random.normal(0, 0.15), random.uniform(0.75, 1.3)
    turn = _turn(angle)
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
    return [stroke @ _turn(angle) for stroke in arrow]


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


def _corners(digits: str) -> NDArray[np.float64]:
    """Return `(N, 2)` points from their coordinates of one digit each: x, y, x, y, …."""
    return np.array([int(one) for one in digits], float).reshape(-1, 2)


# The corners of each thing's lines, and the centers and radii of its rings; x and y from 0 to 9.
_THINGS: dict[str, tuple[str, tuple[tuple[float, float, float], ...]]] = {
    "bolt": ("60254539845460", ()),
    "car": ("070525336375959707", ((2.5, 7, 1), (6.5, 7, 1))),
    "cat": ("152133 758163", ((4.5, 5, 3.5), (3, 4.5, 0.3), (6, 4.5, 0.3))),
    "cup": ("1128688111", ((8.5, 4, 1.5),)),
    "envelope": ("0292970702 024592", ()),
    "key": ("359597 7577", ((1.5, 5, 1.5),)),
    "leaf": ("05236385672705 0595", ()),
    "moon": ("61311416396947354361", ()),
    "mushroom": ("05124050829505 35296955", ()),
    "sun": ("4041 4849 0414 8494 1122 7788 1726 7162", ((4.5, 4.5, 2),)),
    "umbrella": ("05133060839505 45485968", ()),
}


def _thing(name: str, random: Random) -> Strokes:
    lines, rings = _THINGS[name]
    strokes = [(_corners(line) - 4.5) / 4.5 for line in lines.split()]
    strokes += [_circle(x / 4.5 - 1, y / 4.5 - 1, radius / 4.5) for x, y, radius in rings]
    return [stroke + random.normal(0, 0.05, 2) for stroke in strokes]


def _blob(random: Random) -> Strokes:
    """Return a closed line with random bumps."""
    waves = np.arange(2, random.integers(4, 9))
    sizes = random.uniform(0.2, 0.45) * random.normal(0, len(waves) ** -0.5, len(waves))
    starts = random.uniform(0, 2 * math.pi, len(waves))

    def radius(angle: NDArray[np.float64]) -> NDArray[np.float64]:
        bumps = np.cos(2 * math.pi * np.outer(angle, waves) + starts) @ sizes
        return np.clip(1 + bumps, 0.15, None)

    return [_around(1, radius)]


def _symmetric(random: Random) -> Strokes:
    """Return a closed line that is its own mirror image, with sharp or round corners."""
    count = int(random.integers(3, 8))
    half = np.stack([random.uniform(0.1, 1, count), np.linspace(-1, 1, count)], 1)
    half[:, 1] += random.normal(0, 0.12, count)
    half[[0, -1], 0] *= random.integers(0, 2, 2)
    if random.random() < 0.5:
        half = smooth(half)
    return [np.concatenate([half, half[::-1] * (-1, 1), half[:1]])]


def _part(random: Random) -> NDArray[np.float64]:
    """Return a ring, an arc, a polygon or a line around the origin."""

    flat = (1, random.uniform(0.4, 1))
    match random.integers(4):
        case 0:
            return _circle(0, 0, 1) * flat
        case 1:
            return _around(random.uniform(0.3, 0.7), lambda angle: 1 + 0 * angle, random.random())
        case 2:
            return _circle(0, 0, 1)[:: 48 // int(random.integers(3, 6))] * flat
        case _:
            return np.array([[-1.0, 0], [1, 0]])


def _parts(random: Random) -> Strokes:
    """Return two to five parts of different sizes, somewhere."""
    parts = []
    for _ in range(random.integers(2, 6)):
        angle, size = random.uniform(0, 2 * math.pi), random.uniform(0.15, 0.7)
        parts.append(size * _part(random) @ _turn(angle) + random.uniform(-0.7, 0.7, 2))
    return parts


def _filled(random: Random) -> Strokes:
    """Return a closed line with one to three parts in it."""
    parts = [
        random.uniform(0.06, 0.3) * _part(random) + random.uniform(-0.4, 0.4, 2)
        for _ in range(random.integers(1, 4))
    ]
    return (_blob if random.random() < 0.5 else _symmetric)(random) + parts


# Some kinds of things to learn from, many shapes made at random, and things kept for measuring.
SHOWN_DOODLES: tuple[Doodle, ...] = (
    *(_spiral, _zigzag, _wave, _star, _polygon, _arrow, _smiley, _hash, _loops),
)
RANDOM_SHAPES: tuple[Doodle, ...] = (_blob, _symmetric, _parts, _filled)
KEPT_DOODLES: tuple[Doodle, ...] = (
    *(_heart, _house, _flower, _tree, _cloud, _fish),
    *(partial(_thing, name) for name in _THINGS),
)


def doodle(kind: Doodle, random: Random) -> Strokes:
    """Return a doodle of a kind, drawn by an unsteady hand."""
    return _shaky(kind(random), random)

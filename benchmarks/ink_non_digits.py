"""How often pictures that are not digits are read as digits."""

import statistics
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter1d

from benchmarks.machine import percent, table
from core.ink.photo import from_picture
from core.ink.strokes import draw, from_strokes
from core.reading.reader import Reader
from core.training.handwriting import SIDE
from tools.doodles import KEPT_DOODLES, LETTERS, SHOWN, Doodle, doodle, letters_by_hand


def letters(wanted: str = LETTERS) -> Iterator[NDArray[np.float32]]:
    """Yield letters of a typeface that no network saw, prepared as an uploaded picture is."""
    font = ImageFont.load_default(200)
    for letter in wanted:
        page = Image.new("L", (300, 300), 255)
        ImageDraw.Draw(page).text((60, 30), letter, 0, font)
        yield from_picture(page)[0].image


def scribbles() -> Iterator[NDArray[np.float32]]:
    """Yield 200 smooth random walks, prepared as a stroke on the canvas is."""
    random = np.random.default_rng(0)
    for _ in range(200):
        speed = gaussian_filter1d(random.normal(size=(random.integers(40, 200), 2)), 3, axis=0)
        path = gaussian_filter1d(np.cumsum(speed, axis=0), 1, axis=0)
        path -= path.mean(0)
        yield from_strokes([SIDE / 2 + 100 * path / np.abs(path).max()])[0].image


def drawn(kinds: Iterable[Doodle], each: int) -> Iterator[NDArray[np.float32]]:
    """Yield `each` drawings of every kind, prepared as strokes on the canvas are."""
    random = np.random.default_rng(0)
    for kind in kinds:
        for _ in range(each):
            yield draw(kind(random))


def no_digits(reader: Reader) -> dict[str, Any]:
    """Return how often a non-digit is read as a digit, surely or with 99 %."""
    found = {}
    never = "".join(letter for letter in LETTERS if letter not in SHOWN)
    kinds = {
        "letters, never shown": letters(never),
        "letters, shown in other typefaces": letters(SHOWN),
        "letters by hand, never shown": drawn(letters_by_hand(never).values(), 20),
        "doodles, never shown": drawn([partial(doodle, kind) for kind in KEPT_DOODLES], 40),
        "random walks, never shown": scribbles(),
    }
    for name, images in kinds.items():
        pictures = np.stack(list(images))
        read = reader.readings(pictures)
        certain = [one.looks_like_a_digit and one.confidence >= 0.99 for one in read]
        found[name] = {
            "count": len(read),
            "sure": statistics.mean(one.sure for one in read),
            "at 99 %": statistics.mean(certain),
        }
    return found


def show_no_digits(found: dict[str, Any]) -> str:
    """Return the table of non-digits."""
    rows = [["no digit", "how many", "called one, surely", "called one with 99 %"]]
    for name, row in found.items():
        rows.append([name, str(row["count"]), percent(row["sure"]), percent(row["at 99 %"])])
    return table(rows)

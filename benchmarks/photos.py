"""Measure how a run reads pictures as people take them, kind by kind; print the table.

python -m benchmarks.photos [--run RUN] [--count N]

Each kind is made of people's pen digits that nothing was trained on (DIGITLAB_DATA/pen/dev.jsonl
and unipen-dev.jsonl): a shadow, the table under the sheet, ruled paper, a form's cell and so on.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from benchmarks.machine import RESULTS, keep, machine, percent, table
from core.data import mnist
from core.data.people import PenDigit, Strokes, read_strokes
from core.errors import InkError, UserError
from core.ink.photo import from_picture
from core.reading.reader import Reader
from core.runs import catalogue
from core.runs.run import BUILTIN
from core.training.handwriting import SIDE, on_canvas, picture

FILES = ("dev", "unipen-dev")  # in DIGITLAB_DATA/pen, for measuring only
PAPER, INK, TABLE = 225, 40, 60  # tones
PEN = 12  # pixels
Floats = NDArray[np.float64]
Random = np.random.Generator
Page = Callable[[list[Strokes], Random], Image.Image]


@dataclass(frozen=True)
class Kind:
    """A kind of picture: how it is made, and of which digits; None is any digit."""

    page: Page
    of: tuple[int | None, ...] = (None,)


def ink_of(digits: list[Strokes], size: tuple[int, int] = (SIDE, SIDE), pen: float = PEN) -> Floats:
    """Return the ink (H, W) in [0, 1] of digits where their strokes have them."""
    strokes = [stroke for digit in digits for stroke in digit]
    return np.asarray(picture(strokes, pen, size), np.float64) / 255


def inked(ink: Floats, paper: Floats | float = PAPER, tone: float = INK) -> Floats:
    """Return tones (H, W): ink on paper."""
    return np.asarray(paper + (tone - paper) * ink)


def grey(tones: Floats) -> Image.Image:
    """Return tones (H, W) in [0, 255] as a picture."""
    return Image.fromarray(tones.clip(0, 255).round().astype(np.uint8))


def scaled(digit: Strokes, scale: float, left: float, top: float) -> Strokes:
    """Return a digit scaled, with its box's corner at left and top."""
    low = np.concatenate(digit).min(0)
    return [(stroke - low) * scale + (left, top) for stroke in digit]


def beside(digits: list[Strokes], random: Random, gap: tuple[float, float] = (25, 45)) -> Floats:
    """Return the ink of digits in a row."""
    placed, right = [], 30.0
    for digit in digits:
        placed.append(scaled(digit, 0.7, right, 50 + random.uniform(-8, 8)))
        right = float(np.concatenate(placed[-1])[:, 0].max()) + random.uniform(*gap)
    return ink_of(placed, (int(right) + 10, 240))


def dark_edge(side: int) -> Page:
    """Return pages with a strip of 30 along 6 % of the left, top, right or bottom."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        tones, width = inked(ink_of(digits)), round(0.06 * SIDE)
        strips = (np.s_[:, :width], np.s_[:width], np.s_[:, -width:], np.s_[-width:])
        tones[strips[side]] = 30
        return grey(tones)

    return page


def dark_edges(digits: list[Strokes], random: Random) -> Image.Image:
    """Two edges that are neither straight nor sharp, of 3 to 10 %."""
    tones = inked(ink_of(digits))
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    width, slope = random.uniform(0.03, 0.1), random.uniform(-0.04, 0.04)
    edge = np.minimum(across - width - slope * down, down - width + slope * across)
    share = np.clip(0.5 + edge * 60, 0, 1)
    turned = np.rot90(share, random.integers(4))
    return grey(turned * tones + (1 - turned) * random.uniform(20, 110))


def shadow(digits: list[Strokes], random: Random) -> Image.Image:
    """The shadow of a hand or a phone, over a part of the page, with a soft or sharp edge."""
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    angle = random.uniform(0, 2 * math.pi)
    away = across * math.cos(angle) + down * math.sin(angle) - random.uniform(-0.35, 0.35)
    light = 1 - random.uniform(0.3, 0.55) / (1 + np.exp(away / random.uniform(0.005, 0.05)))
    noise = random.normal(0, 3, light.shape)
    return grey(inked(ink_of(digits)) * light + noise)


def on_table(digits: list[Strokes], random: Random) -> Image.Image:
    """A turned sheet on a dark, grained table, with some of the table in sight on every side."""
    side = round(SIDE * 1.5)
    sheet = Image.fromarray(inked(ink_of(digits)).round().astype(np.uint8))
    angle = random.uniform(-6, 6)
    sheet = sheet.resize((int(SIDE * random.uniform(0.9, 1.1)), SIDE))
    mask = Image.new("L", sheet.size, 255).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    sheet = sheet.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)
    grain = ndimage.gaussian_filter(random.normal(0, 25, (side, side)), (1, 6))
    page = Image.fromarray((TABLE + grain).clip(0, 255).astype(np.uint8))
    room = side - sheet.width, side - sheet.height
    page.paste(sheet, (int(room[0] * random.uniform(0.2, 0.8)), int(room[1] * 0.5)), mask)
    return page


def framed(width: int, outside: int) -> Page:
    """Return pages of a form's cell of 120 px with a frame, and some paper around it."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        ink = ink_of([scaled(digits[0], 0.4, 15, 15)], (120, 120), 6)
        box = np.argwhere(ink > 0)
        shift = np.round(60 - (box.min(0) + box.max(0)) / 2 + random.uniform(-8, 8, 2))
        cell = inked(np.roll(ink, shift.astype(int), (0, 1)))
        cell[:width] = cell[120 - width :] = cell[:, :width] = cell[:, 120 - width :] = 60
        return grey(np.pad(cell, outside, constant_values=PAPER))

    return page


def line_at_right(digits: list[Strokes], random: Random) -> Image.Image:
    """A cell's line at the right alone."""
    cell = np.asarray(framed(0, 0)(digits, random)).astype(float)
    cell[:, -random.integers(1, 5) :] = 60
    return grey(cell)


def ruled(squares: bool, tone: int) -> Page:
    """Return pages on ruled or squared paper: lines of 2 px on 245."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        paper = np.full((SIDE, SIDE), 245.0)
        apart, first = int(random.integers(30, 60)), int(random.integers(30))
        for start in range(first, SIDE, apart):
            paper[start : start + 2] = tone
            if squares:
                paper[:, start : start + 2] = tone
        return grey(np.minimum(paper, inked(ink_of(digits), 245)))

    return page


def ruled_photo(digits: list[Strokes], random: Random) -> Image.Image:
    """Squared paper, photographed: turned by up to 4°, in uneven light, with noise."""
    large, margin = SIDE * 2, SIDE // 2
    paper = np.full((large, large), 235.0)
    apart = int(random.integers(30, 50))
    for start in range(0, large, apart):
        paper[start : start + 2] = 150
        paper[:, start : start + 2] = 150
    ink = np.pad(ink_of(digits), margin)
    page = grey(np.minimum(paper, inked(ink, 235)))
    page = page.rotate(random.uniform(-4, 4), Image.Resampling.BICUBIC)
    page = page.crop((margin, margin, margin + SIDE, margin + SIDE))
    light = 0.85 + 0.2 * np.linspace(-0.5, 0.5, SIDE)[:, None]
    return grey(np.asarray(page) * light + random.normal(0, 3, (SIDE, SIDE)))


def flagged(digits: list[Strokes], random: Random) -> Image.Image:
    """A 1 with a flag: a stem of 135 px, a flag of 50 px at 40°."""
    lean, angle = random.uniform(-10, 15), math.radians(40 + random.uniform(-8, 8))
    top = np.array([140 + lean, 70.0])
    flag = top + 50 * np.array([-math.cos(angle), math.sin(angle)])
    return grey(inked(ink_of([[np.array([flag, top, (140, 205)])]])))


def slashed(digits: list[Strokes], random: Random) -> Image.Image:
    """A 0 with a slash."""
    points = np.concatenate(digits[0])
    low, high = points.min(0), points.max(0)
    over = random.uniform(-0.1, 0.12) * (high - low)
    slash = np.array([(low[0] - over[0], high[1] + over[1]), (high[0] + over[0], low[1] - over[1])])
    return grey(inked(ink_of([[*digits[0], slash]])))


def barred(digits: list[Strokes], random: Random) -> Image.Image:
    """A 7 with a bar."""
    across, down = random.uniform(80, 120), random.uniform(60, 80)
    left, slant = 140 - across / 2, random.uniform(0, 30)
    seven = np.array([(left, down), (left + across, down), (left + slant + across / 4, 220)])
    middle = (seven[1] + seven[2]) / 2
    half = np.array([across / 3, -4])
    bar = np.array([middle - half, middle + half])
    return grey(inked(ink_of([[seven, bar]])))


def open_four(digits: list[Strokes], random: Random) -> Image.Image:
    """An L and a bar, 6 px apart."""
    height, foot = random.uniform(70, 100), random.uniform(60, 80)
    left = np.array([(80, 60), (75, 60 + height), (80 + foot, 60 + height)], float)
    bar = np.array([(80 + foot + PEN + 6, 50), (80 + foot + PEN + 2, 220)], float)
    return grey(inked(ink_of([[left, bar]])))


def slanted_ten(digits: list[Strokes], random: Random) -> Image.Image:
    """A slanted 1 whose top hangs over the 0 after it."""
    lean = random.uniform(45, 75)
    one = [np.array([(60 + lean, 60), (60, 220)], float)]
    zero = scaled(digits[1], 0.75, 60 + lean * random.uniform(0.6, 0.8) + 2 * PEN, 90)
    return grey(inked(ink_of([one, zero], (360, SIDE))))


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
    return grey(inked(ink_of(placed, (SIDE + 120, SIDE + 120))))


def transparent_margin(digits: list[Strokes], random: Random) -> Image.Image:
    """A dark drawing, white on black, with a transparent margin."""
    tones = grey(inked(ink_of(digits), random.uniform(0, 40), 250))
    page = Image.new("LA", (SIDE + 160, SIDE + 160), (int(random.choice([0, 255])), 0))
    tones.putalpha(255)
    page.paste(tones, (80, 80))
    return page


def coloured(paper: tuple[int, int, int], ink: tuple[int, int, int]) -> Page:
    """Return pages in two colours, of which JPEG keeps less than of light and dark."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        mask = ink_of(digits)[..., None]
        return Image.fromarray((mask * ink + (1 - mask) * paper).round().astype(np.uint8))

    return page


def low_range(digits: list[Strokes], random: Random) -> Image.Image:
    """16 bits that use a small part of their range."""
    tones = inked(ink_of(digits), random.uniform(900, 4000), random.uniform(100, 400))
    return Image.fromarray(tones.astype(np.uint16))


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
    return grey(inked(ink_of(placed, (int(right) + 40, int(top) + 20))))


def row(digits: list[Strokes], random: Random) -> Image.Image:
    """Digits beside each other."""
    return grey(inked(beside(digits, random)))


def touching(digits: list[Strokes], random: Random) -> Image.Image:
    """Two digits that just touch."""
    first, second = (scaled(digit, 0.7, 30, 40) for digit in digits)
    away = float(np.concatenate(first)[:, 0].max()) - 30 + 2 * PEN
    one = ink_of([first], (560, 220)) > 0.5
    for shift in range(int(away), 0, -1):
        other = [stroke + np.array([shift, 0]) for stroke in second]
        if (one & (ink_of([other], (560, 220)) > 0.5)).sum() >= PEN:
            break
    return grey(inked(ink_of([first, other], (560, 220))))


def with_comma(digits: list[Strokes], random: Random) -> Image.Image:
    """Two digits with a decimal comma between them."""
    first = scaled(digits[0], 0.7, 40, 40)
    points = np.concatenate(first)
    foot = np.array([points[:, 0].max() + 28, points[:, 1].max() - 2])
    comma = [np.array([foot, foot + np.array([-6, 18])])]
    second = scaled(digits[1], 0.7, foot[0] + 28, 40)
    return grey(inked(ink_of([first, comma, second], (560, 280))))


def with_minus(digits: list[Strokes], random: Random) -> Image.Image:
    """A minus before two digits."""
    length = random.uniform(35, 60)
    minus = [np.array([(30, 118), (30 + length, 116)], float)]
    first = scaled(digits[0], 0.7, 30 + length + 35, 45)
    left = float(np.concatenate(first)[:, 0].max()) + 35
    return grey(inked(ink_of([minus, first, scaled(digits[1], 0.7, left, 45)], (640, 240))))


def sideways(digits: list[Strokes], random: Random) -> Image.Image:
    """Ten digits in a row, turned by a quarter."""
    turn = random.choice([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270])
    return row(digits, random).transpose(turn)


KINDS: dict[str, Kind] = {
    "plain": Kind(lambda digits, _: grey(inked(ink_of(digits)))),
    **{
        f"dark strip at the {name}": Kind(dark_edge(side))
        for side, name in enumerate(("left", "top", "right", "bottom"))
    },
    "dark edges on two sides": Kind(dark_edges),
    "shadow": Kind(shadow),
    "sheet on a dark table": Kind(on_table),
    **{
        f"frame of {width} px, {'cropped to it' if not outside else 'inside'}": Kind(
            framed(width, outside)
        )
        for width in (1, 2, 4)
        for outside in (0, 12)
    },
    "line at the right alone": Kind(line_at_right),
    **{
        f"{'squared' if squares else 'ruled'} paper, lines of {tone}": Kind(ruled(squares, tone))
        for squares in (False, True)
        for tone in (150, 90)
    },
    "squared paper, photographed": Kind(ruled_photo),
    "1 with a flag": Kind(flagged, (1,)),
    "0 with a slash": Kind(slashed, (0,)),
    "7 with a bar": Kind(barred, (7,)),
    "4 as an L and a bar": Kind(open_four, (4,)),
    "stray dash": Kind(stray_dash),
    "dark, transparent margin": Kind(transparent_margin),
    "yellow on white": Kind(coloured((255, 255, 255), (255, 235, 40))),
    "green on red, as light": Kind(coloured((200, 40, 40), (30, 130, 30))),
    "16 bits, low range": Kind(low_range),
    "10, slanted 1": Kind(slanted_ten, (1, 0)),
    "row of five": Kind(row, (None,) * 5),
    "two rows of five": Kind(many_rows, (None,) * 10),
    "two that touch": Kind(touching, (None, None)),
    "decimal comma": Kind(with_comma, (None, None)),
    "minus": Kind(with_minus, (None, None)),
    "row of ten, sideways": Kind(sideways, (None,) * 10),
}


def answers(reader: Reader, page: Image.Image) -> tuple[list[int], bool]:
    """Return the digits read in a picture, none where it is refused, and whether all are sure."""
    try:
        found = from_picture(page)
    except InkError:
        return [], False
    _, read = reader.read_all(found)
    return [one.digit for one in read], all(one.sure for one in read)


def measure(reader: Reader, digits: Sequence[PenDigit], kind: Kind, count: int) -> dict[str, float]:
    """Return the shares of `count` pictures of a kind: right, refused, wrong and surely wrong."""
    random = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        chosen = [pick(digits, label, random) for label in kind.of]
        page = kind.page([on_canvas(digit.strokes) for digit in chosen], random)
        read, sure = answers(reader, page)
        right = read == [digit.label for digit in chosen]
        rows.append((right, not read, bool(read) and not right, sure and not right))
    means = np.mean(rows, axis=0).tolist()
    return dict(zip(("right", "refused", "wrong", "surely wrong"), means, strict=True))


def pick(digits: Sequence[PenDigit], label: int | None, random: Random) -> PenDigit:
    """Return a random digit with a label, or any."""
    while True:
        digit = digits[random.integers(len(digits))]
        if label in (None, digit.label):
            return digit


def show(measured: dict[str, dict[str, float]]) -> str:
    """Return the README's table."""
    columns = ("right", "refused", "wrong", "surely wrong")
    rows = [["kind of picture", *columns]]
    for name, shares in measured.items():
        rows.append([name, *(percent(shares[column]) for column in columns)])
    return table(rows)


def main() -> None:
    """Measure the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", default=BUILTIN, help="a RUN, or built-in")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    options = parser.parse_args()
    folder = mnist.directory() / "pen"
    digits = [digit for name in FILES for digit in read_strokes(folder / f"{name}.jsonl")]
    reader = Reader(catalogue.find(options.run))
    measured: dict[str, Any] = {}
    for name, kind in KINDS.items():
        measured[name] = measure(reader, digits, kind, options.count)
        print(name, measured[name], flush=True)
    print(f"\n{machine()}\n\n{show(measured)}")
    keep("photos", {"network": options.run, "count": options.count, "kinds": measured})
    print(f"\nKept in {RESULTS / 'photos.json'}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from error

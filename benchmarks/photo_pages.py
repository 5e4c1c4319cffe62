"""Pages as people photograph them: light and shadow, edges, tables, frames, lines, colors."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.data.people import Strokes
from core.training.handwriting import SIDE, picture

PAPER, INK, TABLE = 225, 40, 60  # tones
PEN = 12  # pixels
Floats = NDArray[np.float64]
Random = np.random.Generator
Page = Callable[[list[Strokes], Random], Image.Image]


def ink_of(digits: list[Strokes], size: tuple[int, int] = (SIDE, SIDE), pen: float = PEN) -> Floats:
    """Return the ink (H, W) in [0, 1] of digits where their strokes have them."""
    strokes = [stroke for digit in digits for stroke in digit]
    return np.asarray(picture(strokes, pen, size), np.float64) / 255


def inked(ink: Floats, paper: Floats | float = PAPER, tone: float = INK) -> Floats:
    """Return tones (H, W): ink on paper."""
    return np.asarray(paper + (tone - paper) * ink)


def gray(tones: Floats) -> Image.Image:
    """Return tones (H, W) in [0, 255] as a picture."""
    return Image.fromarray(tones.clip(0, 255).round().astype(np.uint8))


def scaled(digit: Strokes, scale: float, left: float, top: float) -> Strokes:
    """Return a digit scaled, with its box's corner at left and top."""
    low = np.concatenate(digit).min(0)
    return [(stroke - low) * scale + (left, top) for stroke in digit]


def plain(digits: list[Strokes], random: Random) -> Image.Image:
    """Digits on clean paper, in even light."""
    return gray(inked(ink_of(digits)))


def dark_edge(side: int) -> Page:
    """Return pages with a strip of 30 along 6 % of the left, top, right or bottom."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        tones, width = inked(ink_of(digits)), round(0.06 * SIDE)
        strips = (np.s_[:, :width], np.s_[:width], np.s_[:, -width:], np.s_[-width:])
        tones[strips[side]] = 30
        return gray(tones)

    return page


def dark_edges(digits: list[Strokes], random: Random) -> Image.Image:
    """Two edges that are neither straight nor sharp, of 3 to 10 %."""
    tones = inked(ink_of(digits))
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    width, slope = random.uniform(0.03, 0.1), random.uniform(-0.04, 0.04)
    edge = np.minimum(across - width - slope * down, down - width + slope * across)
    share = np.clip(0.5 + edge * 60, 0, 1)
    turned = np.rot90(share, int(random.integers(4)))
    return gray(turned * tones + (1 - turned) * random.uniform(20, 110))


def dark_wedge(digits: list[Strokes], random: Random) -> Image.Image:
    """A sheet photographed slightly turned: the table shows as a wedge along one side."""
    tones = inked(ink_of(digits)) + random.normal(0, 2, (SIDE, SIDE))
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    widest, length = random.uniform(0.05, 0.14), random.uniform(0.5, 1.2)
    share = np.clip(0.5 + SIDE / 2 * (across - widest * (1 - down / length)), 0, 1)
    turned = np.rot90(share if random.random() < 0.5 else share[::-1], int(random.integers(4)))
    return gray(turned * tones + (1 - turned) * random.uniform(20, 110))


def shadow(digits: list[Strokes], random: Random) -> Image.Image:
    """The shadow of a hand or a phone, over a part of the page, with a soft or sharp edge."""
    down, across = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    angle = random.uniform(0, 2 * math.pi)
    away = across * math.cos(angle) + down * math.sin(angle) - random.uniform(-0.35, 0.35)
    light = 1 - random.uniform(0.3, 0.55) / (1 + np.exp(away / random.uniform(0.005, 0.05)))
    noise = random.normal(0, 3, light.shape)
    return gray(inked(ink_of(digits)) * light + noise)


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
        return gray(np.pad(cell, outside, constant_values=PAPER))

    return page


def line_at_right(digits: list[Strokes], random: Random) -> Image.Image:
    """A cell's line at the right alone."""
    cell = np.asarray(framed(0, 0)(digits, random)).astype(float)
    cell[:, -random.integers(1, 5) :] = 60
    return gray(cell)


def ruled(squares: bool, tone: int) -> Page:
    """Return pages on ruled or squared paper: lines of 2 px on 245."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        paper = np.full((SIDE, SIDE), 245.0)
        apart, first = int(random.integers(30, 60)), int(random.integers(30))
        for start in range(first, SIDE, apart):
            paper[start : start + 2] = tone
            if squares:
                paper[:, start : start + 2] = tone
        return gray(np.minimum(paper, inked(ink_of(digits), 245)))

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
    page = gray(np.minimum(paper, inked(ink, 235)))
    page = page.rotate(random.uniform(-4, 4), Image.Resampling.BICUBIC)
    page = page.crop((margin, margin, margin + SIDE, margin + SIDE))
    light = 0.85 + 0.2 * np.linspace(-0.5, 0.5, SIDE)[:, None]
    return gray(np.asarray(page) * light + random.normal(0, 3, (SIDE, SIDE)))


def transparent_margin(digits: list[Strokes], random: Random) -> Image.Image:
    """A dark drawing, white on black, with a transparent margin."""
    tones = gray(inked(ink_of(digits), random.uniform(0, 40), 250))
    page = Image.new("LA", (SIDE + 160, SIDE + 160), (int(random.choice([0, 255])), 0))
    tones.putalpha(255)
    page.paste(tones, (80, 80))
    return page


def colored(paper: tuple[int, int, int], ink: tuple[int, int, int]) -> Page:
    """Return pages in two colors, of which JPEG keeps less than of light and dark."""

    def page(digits: list[Strokes], random: Random) -> Image.Image:
        mask = ink_of(digits)[..., None]
        return Image.fromarray((mask * ink + (1 - mask) * paper).round().astype(np.uint8))

    return page


def low_range(digits: list[Strokes], random: Random) -> Image.Image:
    """16 bits that use a small part of their range."""
    tones = inked(ink_of(digits), random.uniform(900, 4000), random.uniform(100, 400))
    return Image.fromarray(tones.astype(np.uint16))

"""Paper, shadows, tables, frames and printed lines are not ink; strokes of any color are."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks import photo_pages, photos
from core.errors import InkError
from core.ink.paper import one_tone, without_lines
from core.ink.photo import from_picture, strength
from tests.core.ink.drawings import BARRED_SEVEN, FIVE, FOUR, SEVEN, apart, digit_in_picture, page

ONE_DIGIT = (
    *(f"dark strip at the {side}" for side in ("left", "top", "right", "bottom")),
    *("dark edges on two sides", "dark wedge along a side", "shadow", "sheet on a dark table"),
    *(f"frame of {width} px, inside" for width in (1, 2, 4)),
    *(f"frame of {width} px, cropped to it" for width in (1, 2, 4)),
    "line at the right alone",
    *(f"{paper} paper, lines of {tone}" for paper in ("ruled", "squared") for tone in (150, 90)),
    *("squared paper, photographed", "dark, transparent margin"),
    *("yellow on white", "green on red, as light", "16 bits, low range"),
)


@pytest.mark.parametrize("kind", ONE_DIGIT)
def test_digit_comes_out_as_on_plain_paper(kind: str) -> None:
    """Each kind of picture that people take, with five digits and random seeds each.

    A sheet that is turned by 6° is as far as 0.056 from a level one; another digit, twice that.
    """
    random = np.random.default_rng(0)
    plain = photos.KINDS["plain"].page
    for strokes in (SEVEN, FOUR, FIVE, BARRED_SEVEN, FIVE):
        on_this = digit_in_picture(photos.KINDS[kind].page([strokes], random))
        assert apart(on_this, digit_in_picture(plain([strokes], random))) < 0.06, kind


def test_sheet_in_the_light_on_a_light_table_in_the_dark() -> None:
    """White chalk on a board, with a bright wall behind it, is read as black on white is."""
    tones = 255 - np.asarray(photo_pages.dark_edge(0)([SEVEN], np.random.default_rng(0)))
    assert apart(digit_in_picture(Image.fromarray(tones)), digit_in_picture(page(SEVEN, 12))) < 0.02


def test_stroke_along_the_border_is_ink() -> None:
    """A 7 whose bar the border cuts is still a 7: the bar is too short for an edge of the sheet.

    Taken for one, it would be 0.117 away.
    """
    whole = page(SEVEN)
    assert apart(digit_in_picture(whole.crop((0, 45, 280, 280))), digit_in_picture(whole)) < 0.06


def test_pen_that_is_a_quarter_of_the_picture_is_ink() -> None:
    """A thick pen in a tightly cropped picture is not mistaken for a shadow."""
    [digit] = from_picture(page(SEVEN, 70))
    assert digit.image.sum() > 60


@pytest.mark.parametrize("lean", [-4, 0, 3])
def test_printed_lines_go_and_strokes_across_them_stay(lean: float) -> None:
    """Ten lines of 2 px across the page, level or not; a stroke of 20 px from top to bottom."""
    ink = np.zeros((300, 400), np.float32)
    columns = np.arange(400)
    for start in range(-40, 340, 38):
        rows = np.rint(start + np.tan(np.radians(lean)) * columns).astype(int)
        for row in (rows, rows + 1):
            inside = (row >= 0) & (row < 300)
            ink[row[inside], columns[inside]] = 0.8
    ink[:, 190:210] = 1
    bare = without_lines(ink)
    assert (bare[:, 190:210] == 1).all()
    assert max((side > 0).mean() for side in (bare[:, :180], bare[:, 220:])) < 0.01


@pytest.mark.parametrize("strokes", [SEVEN, FOUR, FIVE], ids="745")
def test_thin_digit_cropped_to_its_ink_is_no_frame(strokes: list[NDArray[np.float64]]) -> None:
    """Its level strokes may be as long as the picture is wide, and stay."""
    ink = strength(page(strokes, 6))
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    tight = ink[rows[0] - 4 : rows[-1] + 5, columns[0] - 4 : columns[-1] + 5]
    assert np.array_equal(without_lines(tight), tight)


def test_gray_keeps_its_tone() -> None:
    """Colors that are gray keep their tone."""
    gray = np.random.default_rng(0).random((20, 30)).astype(np.float32)
    assert np.allclose(one_tone(np.repeat(gray[..., None], 3, 2)), gray, atol=1e-6)


@pytest.mark.parametrize("color", [(0, 0, 0), (128, 128, 128), (200, 40, 40)])
def test_page_of_one_color_is_blank(color: tuple[int, int, int]) -> None:
    """A page of one color has no color axis, and no ink."""
    with pytest.raises(InkError, match="blank"):
        from_picture(Image.new("RGB", (80, 80), color))


def test_column_of_digits_is_refused() -> None:
    """A row photographed sideways is not a digit; the message says what to do."""
    random = np.random.default_rng(0)
    with pytest.raises(InkError, match="above each other"):
        from_picture(photos.KINDS["row of ten, sideways"].page([FIVE] * 10, random))


@pytest.mark.parametrize("pen", [30, 52])
def test_ink_is_separated_from_paper_where_it_fills_the_picture(pen: int) -> None:
    """A 5 that is as large as its picture, in black on white and in white on black."""
    black = page([5 * (stroke - 140) / 4 + 140 for stroke in FIVE], pen)
    white = Image.fromarray(255 - np.asarray(black))
    assert apart(digit_in_picture(black), digit_in_picture(page(FIVE, pen))) < 0.06
    assert apart(digit_in_picture(black), digit_in_picture(white)) < 0.001


@pytest.mark.parametrize("margin", [-2, 0])
def test_seven_that_fills_its_picture_keeps_its_bar(margin: int) -> None:
    """A bar along the whole border is a stroke if it goes on into the middle of the picture."""
    whole = page([3 * (stroke - 140) / 4 + 140 for stroke in SEVEN], 24)
    left, top, right, bottom = ImageOps.invert(whole).getbbox() or (0, 0, 280, 280)
    tight = whole.crop((left - margin, top - margin, right + margin, bottom + margin))
    assert apart(digit_in_picture(tight), digit_in_picture(whole)) < 0.08

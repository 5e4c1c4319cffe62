"""Which pieces of ink make up a digit, and which are ignored."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import InkError
from core.ink.photo import from_picture
from core.ink.strokes import draw, from_strokes
from tests.core.ink.drawings import (
    BARRED_SEVEN,
    BROKEN,
    FIVE,
    FOUR,
    ONE,
    SEVEN,
    apart,
    digit_in_picture,
    page,
    shifted,
)


def test_dirt_is_ignored() -> None:
    """A speck far from the digit neither shrinks nor moves it."""
    dirty = page(SEVEN)
    dirty.paste(0, (5, 270, 9, 274))
    assert apart(digit_in_picture(dirty), digit_in_picture(page(SEVEN))) < 0.001


def test_flat_line() -> None:
    """A line across the whole page is not a digit."""
    with pytest.raises(InkError, match="only a flat line"):
        digit_in_picture(page([np.array([[0, 140], [280, 140]], float)]))


@pytest.mark.parametrize("strokes", [FOUR, FIVE, BARRED_SEVEN, BROKEN, ONE])
def test_digit_of_separate_strokes_stays_one(strokes: list[NDArray[Any]]) -> None:
    """A four's upright, a five's and a seven's bar, a broken one: all of them are parts."""
    assert len(from_strokes(strokes)) == 1
    assert len(from_picture(page(strokes))) == 1


@pytest.mark.parametrize("gap", [6, 40])
def test_open_four_is_one_digit(gap: int) -> None:
    """An L and a bar that do not touch are a 4, drawn or in a picture."""
    open_four = [
        np.array([[60, 60], [60, 150], [130, 150]], float),
        np.array([[130 + gap, 50], [130 + gap, 220]], float),
    ]
    assert len(from_strokes(open_four)) == 1
    assert len(from_picture(page(open_four, pen=6))) == 1


@pytest.mark.parametrize("low", [0, 40])
def test_one_beside_another_digit_is_not_its_bar(low: int) -> None:
    """A 1 beside a 7, on the same line or lower, is a digit of its own."""
    one = np.array([[260, 60 + low], [255, 220 + low]], float)
    assert len(from_strokes([*SEVEN, one])) == 2
    assert len(from_picture(page([*SEVEN, one]))) == 2


def test_several_digits_are_read_left_to_right_whatever_was_drawn_first() -> None:
    """Each has its own box and the same 28 × 28 as alone."""
    number = [*shifted(BARRED_SEVEN, 400), *shifted(FIVE, 200), *FOUR]
    found = from_strokes(number)
    lefts = [digit.box[0] for digit in found]
    assert lefts == [40, 260, 460]
    for digit, alone in zip(found, (FOUR, FIVE, BARRED_SEVEN), strict=True):
        assert apart(digit.image, draw(alone)) < 0.001


def test_several_digits_in_a_picture() -> None:
    """Their boxes are shares of the picture; each is prepared as if it were alone."""
    number = [*shifted(BARRED_SEVEN, 400), *shifted(FIVE, 200), *FOUR]
    wide = Image.new("L", (640, 280), 255)
    wide.paste(page(number, side=640).crop((0, 0, 640, 280)))
    found = from_picture(wide)
    assert [len(found), *(round(digit.box[0] * 640) for digit in found)] == [3, 31, 251, 451]
    for digit, alone in zip(found, (FOUR, FIVE, BARRED_SEVEN), strict=True):
        assert apart(digit.image, digit_in_picture(page(alone))) < 0.01
        assert digit.box[1] * 280 == pytest.approx(
            min(stroke[:, 1].min() for stroke in alone) - 9, abs=2
        )


def test_too_many_digits_are_refused() -> None:
    """More than 20 digits are refused."""
    marks = [np.array([[x, 10], [x, 60]], float) for x in range(0, 30 * 40, 40)]
    with pytest.raises(InkError, match="more than 20 digits"):
        from_strokes(marks)


@pytest.mark.parametrize("gap", [38, 78])  # 20 and 60 between strokes of 18
def test_rows_are_read_as_lines(gap: int) -> None:
    """Two rows of three digits come from the top, each row from the left, drawn or as a picture."""
    numbers = [ONE, SEVEN, ONE, SEVEN, SEVEN, ONE]
    strokes, expected = [], []
    for place, digit in enumerate(numbers):
        row, column = divmod(place, 3)
        low = np.concatenate(digit).min(axis=0)
        strokes += [stroke - low + (40 + 240 * column, 40 + row * (220 + gap)) for stroke in digit]
        expected.append((row, draw(digit)))
    wide = Image.new("L", (760, 560 + gap), 255)
    for stroke in strokes:
        ImageDraw.Draw(wide).line([(x, y) for x, y in stroke.tolist()], 0, 18, joint="curve")
    for found in (from_strokes(strokes), from_picture(wide)):
        assert [digit.row for digit in found] == [row for row, _ in expected]
        for digit, (_, image) in zip(found, expected, strict=True):
            assert apart(digit.image, image) < 0.06


def test_bar_above_a_row_is_not_a_row() -> None:
    """The bar of a five belongs to it, however far above the others it stands."""
    five = [np.array([[300.0, 80], [300, 150], [360, 200], [300, 250]]), np.array([[300.0, 40], [380, 40]])]  # fmt: skip # noqa: E501
    assert [digit.row for digit in from_strokes([*ONE, *five])] == [0, 0]


@pytest.mark.parametrize(
    "mark", [np.array([[240.0, 235], [233, 262]]), np.array([[-60.0, 145], [-5, 143]])]
)
def test_comma_and_minus_are_left_out(mark: NDArray[Any]) -> None:
    """A comma after a digit, or a minus before it, is no part of it, drawn or in a picture."""
    marked = shifted([*SEVEN, mark], 100)
    [drawn] = from_strokes(marked)
    assert apart(drawn.image, draw(SEVEN)) < 0.001
    seen = digit_in_picture(page(marked, side=360))
    assert apart(seen, digit_in_picture(page(SEVEN))) < 0.01

"""Two digits that touch: where they may be cut, and when they are taken for two."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.ink.normalization import Digit
from core.ink.photo import from_picture
from core.ink.strokes import from_strokes
from core.ink.touching import WIDE, cuts, halves
from core.reading import non_digits, one_or_two
from core.reading.reader import Reader
from core.runs import builtin
from core.training.handwriting import picture

PEN = 14
ROUND = [
    (50 + 40 * math.sin(turn), 70 - 60 * math.cos(turn)) for turn in np.linspace(0, 2 * math.pi, 40)
]
STROKES = {
    0: [ROUND],
    1: [[(12, 10), (10, 130)]],
    2: [
        [(45 + 32 * math.cos(turn), 45 + 34 * math.sin(turn)) for turn in np.linspace(-3, 0.7, 20)]
        + [(12, 130), (84, 130)]
    ],
    4: [[(30, 10), (10, 75), (85, 75)], [(65, 40), (62, 130)]],
    7: [[(10, 12), (80, 12), (35, 130)]],
}


def page_of(*labels: int) -> Image.Image:
    """Return digits in one row, each moved left until its ink touches the one before."""
    size, strokes, right = (400, 180), [], 20.0
    for label in labels:
        own = [np.add(stroke, [0, 20.0]) for stroke in STROKES[label]]
        before = np.asarray(picture(strokes, PEN, size)) > 127 if strokes else None
        for shift in np.arange(right, 0, -1):
            moved = [np.add(stroke, [shift, 0]) for stroke in own]
            if before is None or (before & (np.asarray(picture(moved, PEN, size)) > 127)).any():
                break
        strokes += moved
        right = max(float(stroke[:, 0].max()) for stroke in strokes) + 2 * PEN
    return picture(strokes, PEN, size)


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The built-in network."""
    return Reader(builtin.run())


@pytest.fixture(scope="module")
def touching() -> Digit:
    """A 0 and a 7 that touch: one piece of ink."""
    [digit] = from_picture(page_of(0, 7))
    return digit


@pytest.mark.parametrize("labels", [(0, 4), (0, 7), (1, 4), (1, 7), (4, 0), (4, 1), (7, 1), (7, 7)])
def test_touching_pairs_are_read_as_two(labels: tuple[int, int], reader: Reader) -> None:
    """They are one piece of ink, and come out as two digits, left to right."""
    found = from_picture(page_of(*labels))
    assert len(found) == 1
    digits, readings = one_or_two.read_all(reader, found)
    assert tuple(reading.digit for reading in readings) == labels
    assert len(digits) == 2


def test_a_pair_that_is_surely_a_digit_is_cut_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A 7 and a 1 that touch look like a 7; each half looks more like its digit than they do.

    Neither is sure, for another cut leaves other digits. What would doubt the pair is switched off:
    the detector of non-digits, and a threshold above its confidence.
    """
    monkeypatch.setattr(non_digits, "scores", lambda images: np.ones(len(images), np.float32))
    reader = Reader(builtin.run())
    reader.calibration = replace(reader.calibration, sure_from=0.97)
    [whole] = from_picture(page_of(7, 1))
    [alone] = reader.readings(whole.image[None])
    assert (alone.digit, alone.sure) == (7, True)
    _, (left, right) = one_or_two.read_all(reader, [whole])
    assert (left.digit, right.digit) == (7, 1)
    assert min(left.confidence, right.confidence) > alone.confidence
    assert not left.sure and not right.sure


OPEN_ZERO = [
    (150 + 70 * shrunk * math.cos(turn), 140 + 70 * shrunk * math.sin(turn))
    for turn, shrunk in zip(np.linspace(-2.79, 2.44, 50), np.linspace(1, 0.75, 50), strict=True)
]
FLAGGED_ONE = [(50, 210), (190, 40), (185, 240)]


@pytest.mark.parametrize(("label", "stroke"), [(0, OPEN_ZERO), (1, FLAGGED_ONE)])
def test_a_digit_whose_halves_look_like_digits_stays_one(
    label: int, stroke: list[tuple[float, float]], reader: Reader
) -> None:
    """An open 0 is not a 5 and a 7, and a 1 with a long flag is not 11."""
    _, readings = one_or_two.read_all(
        reader, from_picture(picture([np.array(stroke)], PEN, (320, 280)))
    )
    assert [reading.digit for reading in readings] == [label]


def test_halves_lie_side_by_side_in_the_box(touching: Digit) -> None:
    """Their boxes are the box of both, cut in two; the row is the same."""
    digit = touching
    pairs = halves(digit)
    assert pairs
    for left, right in pairs:
        assert left.box[0] == pytest.approx(digit.box[0])
        assert right.box[2] == pytest.approx(digit.box[2])
        assert left.box[0] < right.box[0] and left.box[2] < right.box[2]
        assert left.row == right.row == digit.row


def test_a_cut_loses_no_ink(touching: Digit) -> None:
    """The halves are the ink, each pixel in one of them."""
    assert touching.ink is not None
    for left, right in cuts(touching.ink):
        np.testing.assert_array_equal(left ^ right, touching.ink)


@pytest.mark.parametrize("label", STROKES)
def test_single_digits_stay_one(label: int, reader: Reader) -> None:
    """A digit that is read with enough confidence is not cut."""
    found = from_picture(page_of(label))
    digits, [reading] = one_or_two.read_all(reader, found)
    assert (digits, reading.digit, reading.sure) == (found, label, True)


def test_narrow_or_drawn_ink_is_not_cut() -> None:
    """A bar is too narrow; a drawing's digits are separated by their strokes."""
    assert cuts(np.ones((100, int(100 * WIDE) - 1), bool)) == []
    [drawn] = from_strokes([np.array([[0, 0], [200, 0], [0, 200], [200, 200]])])
    assert halves(drawn) == halves(Digit(drawn.image, drawn.box)) == []

"""People's pen digits become training images as their drawings and uploads would."""

import numpy as np
import pytest

from core.data.people import PenDigit
from core.ink.strokes import from_strokes
from core.training.handwriting import (
    SIDE,
    on_canvas,
    picture,
    training_images,
    varied,
    with_flag_or_slash,
)

ONE = PenDigit(1, "ann", [np.array([[0.0, 0.0], [2.0, 40.0], [1.0, 100.0]])])
FOUR = PenDigit(
    4, "bob", [np.array([[0.0, 0], [0, 50], [60, 50]]), np.array([[40.0, 0], [40, 90]])]
)
TWO = PenDigit(0, "bob", [np.array([[x, 0.0], [x, 90.0]]) for x in (0.0, 60.0)])


def test_each_digit_is_drawn_in_several_ways() -> None:
    """Labels follow the images, no two copies are the same, and the same seed gives the same."""
    images, labels, indices = training_images([ONE, FOUR], copies=4, seed=0)
    assert images.shape == (8, 28, 28) and images.dtype == np.uint8
    assert labels.tolist() == [1, 4] * 4 and indices.tolist() == [0, 1] * 4
    assert len({image.tobytes() for image in images}) == 8
    again, *_ = training_images([ONE, FOUR], copies=4, seed=0)
    np.testing.assert_array_equal(images, again)


def test_copies_look_like_the_digit() -> None:
    """However drawn, a copy is closer to its own digit's plain drawing than to the other's."""
    images, labels, _ = training_images([ONE, FOUR], copies=6, seed=1)
    plain = {one.label: from_strokes(on_canvas(one.strokes))[0].image for one in (ONE, FOUR)}
    for image, label in zip(images / 255, labels.tolist(), strict=True):
        distances = {other: np.abs(image - plain[other]).mean() for other in plain}
        assert min(distances, key=lambda other: distances[other]) == label


def test_what_the_preparation_refuses_is_left_out() -> None:
    """Two bars far apart are two digits; the indices say which digits the images are of."""
    _, labels, indices = training_images([TWO, FOUR], copies=2, seed=0)
    assert labels.tolist() == [4, 4] and indices.tolist() == [1, 1]


def test_variation_keeps_ends_and_stays_small() -> None:
    """A thinned, shaken stroke begins and ends where it did, give or take a few pixels."""
    line = np.stack([np.linspace(40, 240, 60), np.full(60, 140.0)], 1)
    [changed] = varied([line], np.random.default_rng(0))
    assert 20 < len(changed) < 60
    assert np.abs(changed[[0, -1]] - line[[0, -1]]).max() < 10
    assert np.abs(changed[:, 1] - 140).max() < 10


def test_pen_is_as_wide_as_asked() -> None:
    """A horizontal line at a pen of 20 pixels is 20 pixels high on the canvas."""
    page = np.asarray(picture([np.array([[60.0, 140.0], [220.0, 140.0]])], 20))
    assert page.shape == (SIDE, SIDE)
    assert 18 <= (page[:, 140] > 127).sum() <= 22


STEM = PenDigit(1, "cem", [np.array([[30.0, 0.0], [25.0, 50.0], [20.0, 100.0]])])
ZERO = PenDigit(
    0, "dan", [np.array([[30.0, 0.0], [0.0, 50.0], [30.0, 100.0], [60.0, 50.0], [30.0, 0.0]])]
)


@pytest.mark.parametrize("stem", [STEM, PenDigit(1, "cem", [STEM.strokes[0][::-1]])])
def test_plain_one_gets_a_flag_from_its_top(stem: PenDigit) -> None:
    """Whichever way it was drawn, the flag falls to the left of its top; some get a foot, level."""
    random, feet = np.random.default_rng(0), 0
    for _ in range(40):
        same, flag, *foot = with_flag_or_slash(stem, random)
        np.testing.assert_array_equal(same, stem.strokes[0])
        fall = flag[0] - flag[1]
        assert flag[1].tolist() == [30, 0]
        assert 15 <= np.hypot(*fall) <= 45
        assert 30 <= np.degrees(np.arctan2(fall[1], -fall[0])) <= 60
        for bar in foot:
            feet += 1
            assert bar.mean(axis=0).tolist() == pytest.approx([20, 100]) and bar[0, 1] == bar[1, 1]
    assert 0 < feet < 40


def test_plain_zero_gets_a_slash_across() -> None:
    """It goes from the lower left to the upper right, and both ends are near the corners."""
    random = np.random.default_rng(0)
    for _ in range(40):
        same, slash = with_flag_or_slash(ZERO, random)
        np.testing.assert_array_equal(same, ZERO.strokes[0])
        away = np.abs(slash - [(0, 100), (60, 0)]) / [60, 100]
        assert away.max() <= 0.2


@pytest.mark.parametrize(
    "digit",
    [
        FOUR,
        TWO,
        PenDigit(1, "ann", [np.array([[0.0, 40.0], [40.0, 0.0], [40.0, 100.0]])]),
        PenDigit(1, "ann", [*STEM.strokes, np.array([[10.0, 20.0], [30.0, 0.0]])]),
        PenDigit(7, "ann", [np.array([[0.0, 0.0], [60.0, 0.0], [30.0, 100.0]])]),
    ],
    ids=["4", "0 in two strokes", "1 with a flag", "1 with a flag of its own", "7"],
)
def test_other_digits_stay_as_they_were_written(digit: PenDigit) -> None:
    """A 1 that has a flag gets no second one, and only ones and zeros get any."""
    strokes = with_flag_or_slash(digit, np.random.default_rng(0))
    assert [stroke.tolist() for stroke in strokes] == [one.tolist() for one in digit.strokes]


def test_slashes_only_where_asked() -> None:
    """A zero's middle is empty without a share of embellished ones, and inked if all are."""
    bare, *_ = training_images([ZERO], copies=6, seed=0)
    slashed, *_ = training_images([ZERO], copies=6, seed=0, embellished=1)
    middle = np.s_[:, 13:16, 13:16]
    assert (bare[middle].max(axis=(1, 2)) < 64).all()
    assert (slashed[middle].max(axis=(1, 2)) > 128).all()

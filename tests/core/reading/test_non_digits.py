"""Non-digits are distinguished from digits."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.ink_non_digits import letters, scribbles
from core.data import mnist
from core.ink.strokes import draw
from core.reading import non_digits
from core.reading.reader import Reader
from core.runs import builtin
from tools.make_non_digits import non_digits_from


def test_digits_are_digits() -> None:
    """Of the sample's test digits, at most three in a hundred are refused."""
    images = mnist.load("sample").test_images.astype(np.float32) / 255
    assert non_digits.are_digits(images).mean() >= 0.97


@pytest.mark.parametrize("kind", [letters, scribbles])
def test_most_of_what_was_never_shown_is_surely_no_digit(
    kind: Callable[[], Iterator[NDArray[np.float32]]],
) -> None:
    """Letters of a typeface and random walks, which often look like a digit, were never shown."""
    readings = Reader(builtin.run()).readings(np.stack(list(kind())))
    assert np.mean([one.sure for one in readings]) <= 0.2


@pytest.mark.slow
def test_what_is_made_to_be_no_digit_is_none() -> None:
    """Nine kinds, each refused three times in five or more; the digits stay as they were."""
    digits = mnist.load("sample")
    images, before = digits.test_images, digits.test_images.copy()
    made = non_digits_from(images, digits.test_labels, 60, np.random.default_rng(1))
    assert made.shape == (540, 28, 28) and made.dtype == np.uint8
    found = non_digits.are_digits(made.astype(np.float32) / 255).reshape(9, 60).mean(1)
    assert found.max() <= 0.4, found
    assert np.array_equal(images, before)


def test_both_networks_take_a_megabyte_at_most() -> None:
    """What comes with the app stays small."""
    assert builtin.WEIGHTS.stat().st_size + non_digits.WEIGHTS.stat().st_size <= 1_000_000


def test_star_is_no_digit_and_a_bar_is_a_one() -> None:
    """A pentagram drawn in one go, and an upright stroke."""
    turns = np.arange(6) * 0.8 * np.pi
    star = np.stack([np.sin(turns), -np.cos(turns)], 1)
    bar = np.array([(0.0, 0.0), (0.0, 1.0)])
    drawings = np.stack([draw([star]), draw([bar])])
    assert non_digits.are_digits(drawings).tolist() == [False, True]

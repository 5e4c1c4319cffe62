"""What reaches a picture's border is a stroke or lies beside the sheet, by its shape."""

import numpy as np
import pytest

from core.ink.borders import at_border
from core.ink.normalization import Floats


def paper() -> Floats:
    """A light page with a dark bar in its middle."""
    gray = np.full((120, 120), 0.9, np.float32)
    gray[30:90, 55:65] = 0.1
    return gray


@pytest.mark.parametrize("turns", range(4))
def test_wedge_in_a_corner_lies_beside_the_sheet(turns: int) -> None:
    """It is dark along half of a border, less than a strip must be, and tapers."""
    down, across = np.mgrid[0:120, 0:120]
    wedge = across < 14 * (1 - down / 60)
    found = at_border(np.rot90(np.where(wedge, 0.2, paper()), turns))
    assert np.array_equal(found.tables, np.rot90(wedge, turns)) and not found.strokes.any()


def test_bar_in_a_corner_is_ink() -> None:
    """A bar that the border cuts does not taper."""
    gray = paper()
    gray[:8, :60] = 0.1
    found = at_border(gray)
    assert not found.tables.any() and not found.strokes.any()


def test_stroke_along_a_border_goes_on_into_the_middle() -> None:
    """The bar of a 7 is dark along the whole border, and its stem leaves it."""
    gray = np.full((120, 100), 0.9, np.float32)
    gray[:12] = 0.1
    gray[:, 50:62] = 0.1
    found = at_border(gray)
    assert np.array_equal(found.strokes, gray < 0.5) and not found.tables.any()
    assert found.paper == pytest.approx(0.9)


def test_table_is_none_where_there_is_no_other_ink() -> None:
    """A strip without any other ink may be a 1 or a minus."""
    gray = np.full((120, 120), 0.9, np.float32)
    gray[:, :10] = 0.1
    assert not at_border(gray).tables.any()


def test_page_of_one_tone_has_neither() -> None:
    """Nothing is dark on it."""
    found = at_border(np.full((40, 50), 0.5, np.float32))
    assert not found.strokes.any() and not found.tables.any() and found.paper == 0.5

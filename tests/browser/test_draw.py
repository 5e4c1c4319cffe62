"""Real people's digits, replayed on the canvas by the mouse, and what becomes of them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from benchmarks.ink import Strokes, pen_digits  # noqa: E402
from core.ink.strokes import from_strokes  # noqa: E402
from core.reading.reader import Reader  # noqa: E402
from core.runs import builtin  # noqa: E402

Page, expect = playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
EACH = 3  # drawings of each digit
LONG = 60_000  # milliseconds: the first answer includes loading PyTorch


def replay(page: Page, strokes: Strokes) -> None:
    """Draw with the mouse what a pen wrote."""
    canvas = page.locator("canvas").last
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box
    for stroke in strokes:
        for number, (x, y) in enumerate(stroke.tolist()):
            page.mouse.move(box["x"] + x, box["y"] + y)
            if number == 0:
                page.mouse.down()
        page.mouse.up()


def test_pen_digits_drawn_by_mouse_are_read(
    serve: Callable[..., str], new_page: Callable[..., Page], full_data: Path
) -> None:
    """The page says of each drawing what core makes of its strokes, and that is mostly right."""
    pen = full_data / "pen" / "dev.jsonl"
    if not pen.exists():
        pytest.skip(f"the pen digits are not at {pen}")
    drawings, labels = pen_digits(pen)
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:EACH] for digit in range(10)])
    images = np.stack([from_strokes(drawings[number])[0].image for number in chosen])
    answers = Reader(builtin.run()).read(images).argmax(1)
    assert (answers == labels[chosen]).sum() >= 10 * EACH - 1

    page = new_page(f"{serve(ROOT / 'streamlit_app.py')}/draw")
    for number, answer in zip(chosen, answers, strict=True):
        expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
        replay(page, drawings[number])
        reads = re.compile(f"(This looks like a|Not sure:) {answer}")
        expect(page.get_by_text(reads)).to_be_visible(timeout=20_000)
        expect(page.get_by_alt_text("What the network sees")).to_be_visible()
        page.get_by_role("button", name="Clear", exact=True).click()


@pytest.mark.parametrize("start", [(200, 8), (140, 30)])
def test_stroke_may_begin_at_the_upper_right(
    serve: Callable[..., str], new_page: Callable[..., Page], start: tuple[int, int]
) -> None:
    """Where a 7 begins, nothing unseen takes the pointer; nor on the canvas after Clear."""
    page = new_page(f"{serve(ROOT / 'streamlit_app.py')}/draw")
    for _ in range(2):
        expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
        page.mouse.move(2, 2)
        replay(page, [np.array([start, (138, 240)], float)])
        expect(page.get_by_alt_text("What the network sees")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="Clear", exact=True).click()

"""Real people's digits, drawn on the canvas with the mouse, are read."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from benchmarks.ink_pictures import Strokes, pen_digits  # noqa: E402
from core.ink.strokes import from_strokes  # noqa: E402
from core.reading.reader import Reader  # noqa: E402
from core.runs import builtin  # noqa: E402

Page, Route, expect = playwright.Page, playwright.Route, playwright.expect

ROOT = Path(__file__).parents[2]
EACH = 3  # drawings of each digit
LONG = 60_000  # milliseconds: the first answer includes loading PyTorch


@pytest.fixture(scope="module")
def app(serve_module: Callable[..., str]) -> str:
    """The address of one app for all tests here."""
    return f"{serve_module(ROOT / 'streamlit_app.py')}/draw"


EARLY = ".digitlab-early"  # what is read while the pen moves


def replay(page: Page, strokes: Strokes) -> None:
    """Draw a person's recorded strokes with the mouse."""
    for stroke in strokes:
        write(page, stroke)
        page.mouse.up()


def write(page: Page, stroke: np.ndarray) -> None:
    """Draw one stroke with the mouse, and leave the pen down."""
    (x, y), *others = stroke.tolist()
    left, top = over_canvas(page, x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(left + x, top + y)


def over_canvas(page: Page, x: float, y: float) -> tuple[float, float]:
    """Move the mouse to a point of the canvas until that takes it; return the canvas's corner.

    A canvas that was just put up shows no cross for a moment, and what is drawn then is lost.
    """
    canvas = page.locator("canvas.upper-canvas").last
    end = time.monotonic() + LONG / 1000
    while time.monotonic() < end:
        expect(canvas).to_be_visible(timeout=LONG)
        box = canvas.bounding_box()
        if box:
            page.mouse.move(box["x"] + x, box["y"] + y)
            if canvas.evaluate("canvas => canvas.style.cursor") == "crosshair":
                return box["x"], box["y"]
        page.wait_for_timeout(50)
    raise AssertionError("The canvas does not take the mouse.")


def test_pen_digits_drawn_by_mouse_are_read(
    app: str, new_page: Callable[..., Page], full_data: Path
) -> None:
    """The page gives the answers that core gives for the same strokes; most are right."""
    pen = full_data / "pen" / "dev.jsonl"
    if not pen.exists():
        pytest.skip(f"the pen digits are not at {pen}")
    drawings, labels = pen_digits(pen)
    chosen = np.concatenate([np.flatnonzero(labels == digit)[:EACH] for digit in range(10)])
    images = np.stack([from_strokes(drawings[number])[0].image for number in chosen])
    answers = Reader(builtin.run()).read(images).argmax(1)
    assert (answers == labels[chosen]).sum() >= 10 * EACH - 1

    page = new_page(app)
    for number, answer in zip(chosen, answers, strict=True):
        expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
        replay(page, drawings[number])
        reads = re.compile(f"(This looks like a|Not sure:|Probably a) {answer}")
        # The early answer, given while the digit was drawn, makes way for the page's own.
        expect(page.get_by_test_id("stMarkdown").filter(has_text=reads)).to_be_visible()
        expect(page.locator(EARLY)).to_be_hidden()
        expect(page.get_by_alt_text("What the network sees")).to_be_visible()
        page.get_by_role("button", name="Clear", exact=True).click()


@pytest.mark.parametrize("start", [(200, 8), (140, 30)])
def test_stroke_may_begin_at_the_upper_right(
    app: str, new_page: Callable[..., Page], start: tuple[int, int]
) -> None:
    """No invisible element covers the place where a 7 begins, not even after Clear."""
    page = new_page(app)
    for _ in range(2):
        expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
        page.mouse.move(2, 2)
        replay(page, [np.array([start, (138, 240)], float)])
        expect(page.get_by_alt_text("What the network sees")).to_be_visible()
        page.get_by_role("button", name="Clear", exact=True).click()


SEVEN = np.array([(80, 60), *((x, 60) for x in range(90, 201, 10)), (160, 140), (120, 230)], float)
BARS = "Array.from(document.querySelector('.st-key-draw-bars .drawing')._fullData?.[0].y ?? [])"


def test_keyboard_draws(app: str, new_page: Callable[..., Page]) -> None:
    """The canvas has a label, is reached by Tab, and arrows and Space draw a digit on it."""
    page = new_page(app)
    over_canvas(page, 140, 140)
    canvas = page.get_by_label("Canvas. Arrow keys move the pen, Space sets it down and lifts it.")
    expect(canvas).to_have_attribute("tabindex", "0", timeout=LONG)
    canvas.focus()
    for key, times in (("ArrowUp", 9), ("ArrowLeft", 7), (" ", 1), ("ArrowRight", 14)):
        for _ in range(times):
            page.keyboard.press(key)
    for _ in range(10):
        for key in ("ArrowDown", "ArrowLeft", "ArrowDown"):
            page.keyboard.press(key)
    page.keyboard.press(" ")
    expect(page.get_by_text("This looks like a 7")).to_be_visible(timeout=LONG)


def test_answer_follows_the_hand(app: str, new_page: Callable[..., Page]) -> None:
    """The answer, tile and bars appear before the pen is lifted; then the page says the same."""
    page = new_page(app)
    expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
    for _ in range(2):
        write(page, SEVEN)
        early = page.locator(EARLY)
        expect(early).to_contain_text("This looks like a 7")
        expect(page.get_by_text("The canvas is empty")).to_be_hidden(timeout=LONG)
        page.wait_for_function(f"{BARS}[7] > 0.5")
        tile = page.locator(".st-key-draw-tile img")
        assert tile.get_attribute("alt") == "Nothing yet"

        page.mouse.up()
        expect(early).to_be_hidden(timeout=LONG)
        own = page.get_by_role("heading", name="This looks like a 7")
        expect(own).to_be_visible()
        page.wait_for_function(f"{BARS}[7] > 0.5")
        assert tile.get_attribute("alt") == "What the network sees"

        page.get_by_role("button", name="Clear", exact=True).click()
        expect(page.get_by_text("The canvas is empty")).to_be_visible()
        page.wait_for_function(f"Math.max(...{BARS}) === 0")


def test_stroke_right_after_clear_is_kept(app: str, new_page: Callable[..., Page]) -> None:
    """A stroke drawn before the page knows that the canvas is empty is not lost."""
    page = new_page(app)
    one = np.array([(140, y) for y in range(40, 241, 20)], float)
    for stroke, digit in ((SEVEN, 7), (one, 1), (SEVEN, 7)):
        replay(page, [stroke])
        own = page.get_by_test_id("stMarkdown").filter(has_text=f"This looks like a {digit}")
        expect(own.first).to_be_visible(timeout=LONG)
        page.get_by_role("button", name="Clear", exact=True).click()
    replay(page, [one, SEVEN])
    page.get_by_role("button", name="Undo", exact=True).click()
    own = page.get_by_test_id("stMarkdown").filter(has_text="This looks like a 1")
    expect(own.first).to_be_visible(timeout=LONG)


def test_second_digit_joins_while_it_is_drawn(app: str, new_page: Callable[..., Page]) -> None:
    """The stroke in progress is read together with the strokes that the page already has."""
    page = new_page(app)
    expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
    replay(page, [SEVEN * 0.4 + (0, 80)])
    expect(page.get_by_role("heading", name="This looks like a 7")).to_be_visible()
    expect(page.locator(EARLY)).to_be_hidden(timeout=LONG)
    write(page, SEVEN * 0.4 + (150, 80))
    expect(page.locator(EARLY)).to_contain_text("This looks like 77")
    page.mouse.up()
    expect(page.locator(EARLY)).to_be_hidden(timeout=LONG)
    expect(page.get_by_role("heading", name="This looks like 77")).to_be_visible()


def test_without_the_door_the_answer_comes_after_the_stroke(
    app: str, new_page: Callable[..., Page]
) -> None:
    """If only pages get through, the page's own answer appears, and nothing covers it."""
    page = new_page(app)
    tried = []

    def cut(route: Route) -> None:
        tried.append(route.request.url)
        route.fulfill(status=200, body="<html>Nothing here</html>")

    page.route("**/api/read**", cut)
    expect(page.get_by_text("The canvas is empty")).to_be_visible(timeout=LONG)
    write(page, SEVEN)
    page.wait_for_timeout(500)
    expect(page.locator(EARLY)).to_be_hidden(timeout=LONG)
    page.mouse.up()
    expect(page.get_by_role("heading", name="This looks like a 7")).to_be_visible()
    assert 1 <= len(tried) < len(SEVEN) / 2  # after a failure it pauses


def test_refused_file_says_why_and_goes_with_the_next(
    app: str, new_page: Callable[..., Page]
) -> None:
    """The reason is visible without hovering, and disappears when another file is chosen."""
    page = new_page(app)
    page.get_by_text("Upload", exact=True).click(timeout=LONG)
    chooser = page.locator("input[type=file]").first
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"seven"}
    chooser.set_input_files(file, timeout=LONG)
    reason = page.get_by_role("alert").filter(has_text="text/plain files are not allowed")
    expect(reason).to_be_visible(timeout=LONG)
    page.wait_for_function(
        "document.querySelector('.stFileChip [role=alert]').getBoundingClientRect().width > 100",
        timeout=LONG,
    )
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"seven"})
    expect(page.get_by_text("The file is not a picture")).to_be_visible(timeout=LONG)
    expect(reason).to_be_hidden(timeout=LONG)

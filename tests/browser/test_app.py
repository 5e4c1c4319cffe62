"""A walk through the whole app in Chromium: browse, train, evaluate, draw, compare."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core import recipes

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Page, expect = playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
CHART = """document.querySelector("[aria-label^='Loss'] .js-plotly-plot")"""
POINTS = f"({CHART}?.data?.[0]?.x?.length ?? {CHART}?._fullData?.[0]?.x?.length ?? 0)"
# How sure it is depends on the run.
READS_ONE = re.compile("(This looks like a|Not sure:|Probably a) 1")
LONG = 60_000  # milliseconds: an answer that includes loading PyTorch on a busy machine


@pytest.fixture
def app(serve: Callable[..., str]) -> str:
    """The address of the app with an empty store and the sample."""
    return serve(ROOT / "streamlit_app.py")


def go(page: Page, name: str) -> None:
    """Click a page's name in the sidebar and wait until it is drawn."""
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()


def start(page: Page, recipe: str = "") -> None:
    """Start a run on the Train page: the first recipe, or 50 epochs of the one with this title."""
    button = page.get_by_role("button", name="Start")
    expect(button).to_be_enabled(timeout=LONG)
    if recipe:
        page.get_by_role("combobox", name="Recipe").click()
        page.get_by_role("option", name=recipe, exact=True).click()
        expect(page.get_by_text("Adadelta").first).to_be_visible()
        page.get_by_role("slider", name="Passes over the images").press("End")
        expect(page.get_by_test_id("stSliderThumbValue").first).to_have_text("50")
    button.click()


def points(page: Page) -> int:
    """Return how many points the loss curve of the steps has."""
    return int(page.evaluate(POINTS))


def test_newcomer_walks_through_the_app(app: str, new_page: Callable[..., Page]) -> None:
    """A newcomer browses, trains twice, evaluates, draws and compares, without an error."""
    page = new_page(app, viewport={"width": 1440, "height": 1000})
    expect(page.get_by_role("heading", name="Draw a digit", level=1)).to_be_visible()
    draw_a_one(page)
    expect(page.get_by_text(READS_ONE)).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="What is in the data?").click()
    expect(page.get_by_role("heading", name="Data", level=1)).to_be_visible()
    expect(page.locator(".gallery button").first).to_be_visible()
    expect(page.get_by_text("Sample, 5,000 digits of MNIST").first).to_be_visible()

    # Before there is a run, Evaluate shows the built-in network, and Compare leads to Train.
    go(page, "Evaluate")
    expect(page.get_by_role("radio", name="known")).to_be_visible(timeout=LONG)
    go(page, "Compare")
    page.get_by_role("link", name="Train a network").click()

    start(page)
    page.wait_for_function(f"{POINTS} > 1")
    expect(page.get_by_text("Finished · best epoch")).to_be_visible(timeout=LONG)

    start(page, recipes.RECIPES["pytorch_example"].title)
    expect(page.get_by_text("pytorch_example-1").first).to_be_visible()
    go(page, "Data")
    go(page, "Train")
    expect(page.get_by_text("pytorch_example-1").first).to_be_visible()
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 50")).first).to_be_visible(timeout=LONG)
    page.wait_for_function(f"{POINTS} > 0")  # the chart is drawn after the line above it
    page.evaluate(f"{CHART}.marked = true")
    before = points(page)
    page.wait_for_function(f"before => {POINTS} > before", arg=before)
    assert page.evaluate(f"{CHART}.marked === true")  # redrawn, not created again
    page.get_by_role("button", name="Stop", exact=True).first.click()
    expect(page.get_by_text("Stopped · in epoch").first).to_be_visible(timeout=LONG)
    page.get_by_text("How it formed").click()
    expect(page.get_by_role("slider", name="Moment of the training")).to_be_visible(timeout=LONG)

    go(page, "Evaluate")
    expect(page.get_by_text("Wilson").or_(page.get_by_text("macro F1")).first).to_be_visible()
    map_of_cells = page.locator(".heatmaplayer").first
    expect(map_of_cells).to_be_visible()
    box = map_of_cells.bounding_box()
    assert box
    # The first cell on the diagonal: the zeros that were read as zeros.
    page.mouse.click(box["x"] + box["width"] / 20, box["y"] + box["height"] / 20)
    tiles = page.locator(".gallery button")
    expect(tiles.filter(has_text=re.compile(r"^0\s→\s0,")).nth(50)).to_be_attached()
    expect(tiles.filter(has_not_text=re.compile(r"^0\s→\s0,"))).to_have_count(0)

    go(page, "Draw")
    expect(page.get_by_text(READS_ONE)).to_be_visible()  # the drawing of the first page
    go(page, "Compare")
    tick_first_two_runs(page)
    expect(page.get_by_role("heading", name="What differs")).to_be_visible()
    expect(page.get_by_role("heading", name="Is one better?")).to_be_visible()
    go(page, "Draw")
    expect(page.get_by_text(READS_ONE)).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("The canvas is empty")).to_be_visible()


def tick_first_two_runs(page: Page) -> None:
    """Tick the two topmost rows of the table of runs, which is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    page.get_by_text("fast_cnn-1").first.wait_for(state="attached")
    for row in (1, 2):
        table.click(position={"x": 16, "y": 35 * row + 17})
        expect(page.get_by_role("button", name="Edit")).to_have_count(row)


def draw_a_one(page: Page) -> None:
    """Draw an upright stroke with the mouse."""
    canvas = page.locator("canvas").last
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 145, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 138, box["y"] + 230, steps=20)
    page.mouse.up()


def test_run_started_from_the_command_line_shows_up_live(
    app: str, new_page: Callable[..., Page], serve: Callable[..., str], tmp_path: Path
) -> None:
    """A page that was opened before the run began shows the run's curves."""
    page = new_page(f"{app}/train")
    expect(page.get_by_text("Nothing has been trained yet")).to_be_visible(timeout=LONG)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "core", "train"),
            *("--preset", "pytorch_example", "--set", "epochs=50", "--name", "from-a-script"),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "DIGITLAB_RUNS": str(tmp_path / "runs"),
            "DIGITLAB_DATA": str(tmp_path / "data"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    expect(page.get_by_text("from-a-script").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("from-a-script").first).to_be_visible(timeout=LONG)
    page.wait_for_function(f"{POINTS} > 1")
    process.terminate()
    assert process.wait(60) == 0
    expect(page.get_by_text("Stopped · in epoch").first).to_be_visible(timeout=LONG)


@pytest.mark.parametrize(
    "name", ["Data", "Experiments", "Train", "Evaluate", "Draw", "Inside", "Compare"]
)
def test_pages_open_by_their_address_on_a_telephone(
    app: str, new_page: Callable[..., Page], name: str
) -> None:
    """Right after the server starts, each page opens at 390 px, and nothing is cut off."""
    page = new_page(f"{app}/{name.lower()}", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible(timeout=LONG)
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
    expect(page).to_have_title(f"{name} · Digit Lab")

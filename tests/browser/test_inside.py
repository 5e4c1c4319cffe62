"""The Inside page in Chromium: from a misread digit to one value's sum."""

from collections.abc import Callable
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Page, expect = playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000


def test_from_a_misread_digit_to_the_sum_behind_a_value(
    serve: Callable[..., str], new_page: Callable[..., Page], trained: Path
) -> None:
    """One click on Evaluate opens the digit; a click on a map, or Enter, shows the sum."""
    app = serve(ROOT / "streamlit_app.py", {"DIGITLAB_RUNS": str(trained)})
    page = new_page(f"{app}/evaluate", viewport={"width": 1440, "height": 1000})
    page.get_by_role("button", name="See inside").click(timeout=LONG)
    expect(page.get_by_role("heading", name="Inside", exact=True, level=1)).to_be_visible()
    expect(page.get_by_text("Image ").first).to_be_visible()
    expect(page.get_by_text("It answers").first).to_be_visible(timeout=LONG)
    for width in (1241, 1440):  # all four sources are in sight beside the layers
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(500)
        column = page.locator(".st-key-inside-source").bounding_box()
        last = page.get_by_role("radio", name="Upload").bounding_box()
        assert column and last and last["x"] + last["width"] <= column["x"] + column["width"] + 1
    page.get_by_text("How it formed").click()
    moment = page.get_by_role("slider", name="Moment of the training")
    expect(moment).to_be_visible(timeout=LONG)
    moment.press("Home")
    expect(page.get_by_text("After 0 steps (epoch 0.00): ")).to_be_visible()
    page.get_by_role("button", name="Play").click()  # to the end, and stops there
    expect(moment).to_have_value(moment.get_attribute("max") or "", timeout=LONG)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_text("Layers", exact=True).click()
    run = page.get_by_role("combobox", name="Run")
    run.click()
    page.get_by_role("option", name="built-in").click()
    tile = page.get_by_role("button", name="Convolution 1, map 5", exact=True)
    expect(tile).to_be_visible(timeout=LONG)
    tile.click(position={"x": 1, "y": 1})
    expect(page.get_by_text("Map 5, row 1, column 1:")).to_be_visible()
    expect(tile).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="ReLU 1, map 5", exact=True).press("Enter")
    expect(page.get_by_text("Map 5, row 1, column 1:")).to_have_count(0)
    expect(page.get_by_text("Map 5, row ")).to_be_visible()
    page.get_by_text("Switch this map off").click()
    expect(page.get_by_text("1 map is off; otherwise")).to_be_visible()
    sheet = page.locator("canvas[role=application]")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.get_by_text("A part is covered and 1 map is off; otherwise")).to_be_visible()
    page.get_by_role("button", name="Uncover").press("Enter")
    expect(page.get_by_text("1 map is off; otherwise")).to_be_visible()

"""The Inside page in Chromium: from a misread digit to one value's sum."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Locator, Page, expect = playwright.Locator, playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000


def sheet(page: Page, layer: str) -> Locator:
    """The maps of a layer."""
    return page.get_by_role("application", name=re.compile(rf"^{layer}, \d+ maps"))


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
    first = sheet(page, "Convolution 1")
    expect(first).to_be_visible(timeout=LONG)
    corner = {"x": 1, "y": 1}
    first.locator("canvas").hover(position=corner)
    name = first.locator("canvas").get_attribute("title") or ""
    number = name.removeprefix("Convolution 1, map ")
    first.locator("canvas").click(position=corner)
    expect(page.get_by_text(f"Map {number}, row 1, column 1:")).to_be_visible()
    expect(first.locator(".selected")).to_be_visible()
    expect(first.locator("canvas")).to_have_attribute("title", f"{name}, selected")
    second = sheet(page, "ReLU 1")
    second.focus()
    spoken = []
    for _ in range(3):  # to the third map, and by Enter to its largest value
        second.press("ArrowRight")
        spoken.append(second.locator("output").text_content() or "")
    assert len(set(spoken)) == 3 and all(one.startswith("ReLU 1, map ") for one in spoken)
    second.press("Enter")
    expect(page.get_by_text(f"Map {number}, row 1, column 1:")).to_have_count(0)
    expect(page.get_by_text(f"Map {spoken[-1].split()[-1]}, row ")).to_be_visible()
    page.get_by_text("Switch this map off").click()
    expect(page.get_by_text("1 map is off; otherwise")).to_be_visible()
    digit = page.locator("canvas[role=application]")
    digit.scroll_into_view_if_needed()
    box = digit.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(page.get_by_text("A part is covered and 1 map is off; otherwise")).to_be_visible()
    page.get_by_role("button", name="Uncover").press("Enter")
    expect(page.get_by_text("1 map is off; otherwise")).to_be_visible()


# How many colors are in the first map of a canvas, which is 36 pixels wide and high.
COLORS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, 36, 36);
  const colors = Array.from({ length: 36 * 36 }, (_, i) => data.slice(4 * i, 4 * i + 4).join());
  return new Set(colors).size;
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_a_sheet_of_maps_is_one_picture(
    serve: Callable[..., str], new_page: Callable[..., Page], width: int
) -> None:
    """However many maps it has, a layer is a handful of elements, sharp and no wider than the page.

    Hundreds of elements, one a map, cost the browser a tenth of a second at each page switch.
    """
    app = serve(ROOT / "streamlit_app.py")
    page = new_page(f"{app}/inside", viewport={"width": width, "height": 900})
    expect(page.get_by_alt_text("Dense as bars")).to_be_visible(timeout=LONG)  # the last layer
    maps = sheet(page, "Convolution 1").locator("canvas")
    sheets = page.get_by_role("application", name=re.compile(r"\d+ maps"))
    assert sheets.count() > 5
    for one in sheets.all():
        assert one.locator("*").count() <= 8
    # Once drawn, at most as many colors as there are values, so nothing is smoothed.
    drawn = f"canvas => {{ const n = ({COLORS})(canvas); return n > 1 && n <= 12 * 12; }}"
    page.wait_for_function(drawn, arg=maps.element_handle())
    box = maps.bounding_box()
    assert box and box["x"] + box["width"] <= width

"""A phone, by touch alone, where only pages get through: the door does not answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Locator, Page, Route = playwright.Locator, playwright.Page, playwright.Route
expect = playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SEVEN = [(80, 60), *((x, 60) for x in range(90, 201, 10)), (180, 100), (160, 140), (120, 230)]
REST = ("experiments", "inside", "sweeps", "compare", "data")


def draw(page: Page, canvas: Locator, points: list[tuple[int, int]]) -> None:
    """Draw one stroke with a finger."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    finger = page.context.new_cdp_session(page)
    for number, (x, y) in enumerate(points):
        kind = "touchMove" if number else "touchStart"
        touching = [{"x": box["x"] + x, "y": box["y"] + y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touching})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert canvas.bounding_box() == box  # the finger drew, and did not scroll


def test_draw_train_and_evaluate_by_touch_without_the_door(
    serve: Callable[..., str], new_page: Callable[..., Page], own_runs: Path
) -> None:
    """A digit is read, a run trains to its end, a cell opens, and every other page opens."""
    address = serve(ROOT / "ui" / "app.py", {"DIGITLAB_RUNS": str(own_runs)})  # without the routes
    page = new_page(address, door=False, **PHONE)
    asked = []

    def cut(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, body="<html>Nothing here</html>")

    page.route("**/api/**", cut)
    draw(page, page.get_by_label("Canvas. Arrow keys"), SEVEN)
    own = page.get_by_test_id("stMarkdown").filter(has_text="This looks like a 7")
    expect(own.first).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Clear", exact=True).tap()
    expect(own).to_have_count(0, timeout=LONG)

    go(page, "Train")
    page.get_by_role("button", name="Start", exact=True).tap()
    expect(page.get_by_text("best epoch").first).to_be_visible(timeout=LONG)
    go(page, "Evaluate")
    cells = page.locator(".heatmaplayer").first
    expect(cells).to_be_visible(timeout=LONG)
    cells.scroll_into_view_if_needed()
    box = cells.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 20, box["y"] + box["height"] / 20)
    tile = page.locator(".gallery button").filter(has_text="0\u00a0→\u00a00,").first
    tile.tap(timeout=LONG)
    expect(page.get_by_role("button", name="See inside")).to_be_visible(timeout=LONG)

    for name in REST:
        page.goto(f"{address}/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LONG)
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=LONG
        )
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert asked  # the door was missed


def go(page: Page, name: str) -> None:
    """Open a page from the sidebar, which closes again."""
    page.get_by_test_id("stExpandSidebarButton").tap(timeout=LONG)
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).tap()
    expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible(timeout=LONG)

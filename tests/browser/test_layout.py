"""The pages at the widths of telephones, tablets and laptops, and on a fresh server."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from core.config import TrainConfig  # noqa: E402
from core.runs import catalogue  # noqa: E402
from core.runs.run import State  # noqa: E402

Browser, Page, expect = playwright.Browser, playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000
WIDTHS = (390, 660, 820, 1024, 1100, 1239, 1241, 1280, 1366, 1440)
# The buttons, labels and pictures that their column cuts off.
CUT = """() => [...document.querySelectorAll(
    "[data-testid=stMain] :is(button p, [data-testid=stButtonGroup] button, label p, img, canvas)"
)].filter(node => {
  const box = node.getBoundingClientRect();
  if (!box.width || node.closest("[data-testid=stDataFrame], [data-testid=stTooltipIcon]")) {
    return false;
  }
  let column = node, around;
  do {
    column = column.parentElement.closest("[data-testid=stColumn], [data-testid=stMain]");
    around = column.getBoundingClientRect();
  } while (!around.width);  // a column that only hands on its content
  return box.right > around.right + 1 || node.scrollWidth > node.clientWidth + 1
      && getComputedStyle(node).overflow !== "visible";
}).map(node => node.textContent || node.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def app(serve_module: Callable[..., str]) -> str:
    """The app on the sample, without a run."""
    return serve_module(ROOT / "streamlit_app.py")


def test_whole_canvas_can_be_reached(app: str, new_page: Callable[..., Page]) -> None:
    """At each width the canvas fits its column, and its corners can be clicked."""
    page = new_page(f"{app}/draw", viewport={"width": WIDTHS[0], "height": 1000})
    canvas = page.locator("canvas").last
    expect(canvas).to_be_visible(timeout=LONG)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(500)  # the sidebar may open by itself, and glides
        expand = page.get_by_test_id("stExpandSidebarButton")
        if width > 768 and expand.is_visible():
            expand.click()
            page.wait_for_timeout(500)
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        column = page.get_by_test_id("stColumn").filter(has=canvas).bounding_box()
        assert box and column and box["width"] >= 280
        assert column["x"] <= box["x"] + 1
        assert box["x"] + box["width"] <= column["x"] + column["width"] + 1, width
        for x, y in ((1, 1), (279, 1), (1, 279), (279, 279)):
            point = [box["x"] + x, box["y"] + y]
            hit = canvas.evaluate(
                "(node, [x, y]) => node.getRootNode().elementFromPoint(x, y) === node", point
            )
            assert hit, (width, x, y)
        for name in ("Undo", "Clear"):
            button = page.get_by_role("button", name=name, exact=True)
            fits = "node => node.scrollWidth <= node.clientWidth"
            assert button.evaluate(fits), (width, name)
        if width == 390:  # a telephone is 844 high
            empty = page.get_by_text("The canvas is empty")
            expect(empty).to_be_visible(timeout=LONG)
            answer = empty.bounding_box()
            rows = [
                page.get_by_role("button", name=name, exact=True).bounding_box()
                for name in ("Undo", "Clear")
            ]
            assert answer and answer["y"] + answer["height"] < 844
            assert rows[0] and rows[1] and rows[0]["y"] == rows[1]["y"]


@pytest.mark.parametrize(
    "name", ["", "data", "experiments", "train", "evaluate", "draw", "inside", "sweeps", "compare"]
)
def test_nothing_is_cut(app: str, new_page: Callable[..., Page], name: str) -> None:
    """At each width no button, label or picture is cut off, and nothing scrolls sideways."""
    page = new_page(f"{app}/{name}", viewport={"width": 1440, "height": 1000})
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=LONG
    )
    for width in reversed(WIDTHS):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(500)
        assert page.evaluate(CUT) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_sidebar_closes_on_a_telephone(app: str, new_page: Callable[..., Page]) -> None:
    """A page chosen in the sidebar is not covered by it: Start can be pressed."""
    page = new_page(app, viewport={"width": 390, "height": 844})
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LONG)
    for name in ("Train", "Sweeps"):
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()
        page.get_by_role("button", name="Start", exact=True).click(trial=True, timeout=LONG)


def test_fresh_server_never_shows_another_navigation(
    serve: Callable[..., str], browser: Browser
) -> None:
    """Streamlit's own list of pages never appears, not even while the first page loads."""
    address = serve(ROOT / "streamlit_app.py")
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(
        """window.seen = 0;
        new MutationObserver(() => {
          window.seen += document.querySelectorAll("[data-testid^=stSidebarNav]").length;
        }).observe(document, {childList: true, subtree: true});"""
    )
    page.goto(address)
    expect(page.get_by_role("heading", name="Draw a digit", level=1)).to_be_visible(timeout=LONG)
    seen = page.evaluate("window.seen")
    context.close()
    assert seen == 0


def test_compare_notices_runs_by_itself(
    serve: Callable[..., str], new_page: Callable[..., Page], own_runs: Path
) -> None:
    """A run started elsewhere appears, and later ends, in the table of an idle page.

    Once all runs are finished, their state says nothing, and its column is folded away.
    """
    page = new_page(f"{serve(ROOT / 'streamlit_app.py', {'DIGITLAB_RUNS': str(own_runs)})}/compare")
    expect(page.get_by_text("You have no runs yet")).to_be_visible(timeout=LONG)
    run = catalogue.create(TrainConfig(), "sample", "", "from elsewhere")
    alive = {"state": State.RUNNING, "alive_until": str(time.time() + 600)}
    catalogue.set_tags(run.id, alive)
    cells = page.get_by_test_id("stMain").get_by_test_id("stDataFrame")
    expect(cells.get_by_text("from elsewhere")).to_be_attached()
    expect(cells.get_by_text("running")).to_be_attached()
    catalogue.set_tags(run.id, {"state": State.FINISHED})
    expect(cells.get_by_text("running")).to_have_count(0)
    expect(cells.get_by_text("from elsewhere")).to_be_attached()


def test_demo_shows_no_paths_of_the_server(
    serve: Callable[..., str], new_page: Callable[..., Page], tmp_path: Path
) -> None:
    """With DIGITLAB_DEMO a bug is shown without paths; otherwise in full."""
    script = tmp_path / "app.py"  # a bug: there are no pages beside it
    script.write_text(f"import runpy\nrunpy.run_path({str(ROOT / 'ui' / 'app.py')!r})\n")
    for demo, told in (("1", False), ("", True)):
        page = new_page(serve(script, {"DIGITLAB_DEMO": demo}))
        expect(page.get_by_test_id("stException")).to_be_visible(timeout=LONG)
        text = page.get_by_test_id("stApp").inner_text()
        assert ("app.py" in text, "PageNotFound" in text) == (told, told)

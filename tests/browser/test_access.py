"""Accessibility: axe-core checks every page."""

from collections.abc import Callable
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

Page, expect = playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000
ADDRESSES = (
    *("", "data", "experiments", "experiments?experiment=2-learning-rate"),
    *("train", "evaluate", "draw", "inside", "sweeps", "compare"),
)
# The script has ended, and nothing fades in or out: while it fades, text has too little contrast.
AT_REST = """() => {
    const state = document.querySelector("[data-test-script-state]").dataset.testScriptState;
    const stale = document.querySelector("[data-stale=true]");
    const fades = document.getAnimations().filter(
        (one) => one.playState === "running" && one.effect.getTiming().iterations !== Infinity);
    return state === "notRunning" && !stale && !fades.length;
}"""


@pytest.fixture(scope="module")
def app(serve_module: Callable[..., str]) -> str:
    """The app on the sample, without a run."""
    return serve_module(ROOT / "streamlit_app.py")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_violation(
    app: str, new_page: Callable[..., Page], scheme: str
) -> None:
    """Contrast, names and roles: axe-core finds nothing serious or critical on any page."""
    page = new_page(app, color_scheme=scheme, viewport={"width": 1440, "height": 900})
    found = []
    for address in ADDRESSES:
        page.goto(f"{app}/{address}")
        expect(page.locator("h1").first).to_be_visible(timeout=LONG)
        page.wait_for_function(AT_REST, timeout=LONG)
        found += [
            f"{address or 'first page'}: {one['id']}: {one['nodes'][0]['html'][:200]}"
            for one in axe.Axe().run(page).response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
    assert not found, "\n".join(found)

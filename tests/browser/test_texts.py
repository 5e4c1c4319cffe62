"""Users' text in a real browser: it is never fetched, linked or rendered."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
from core.config import TrainConfig  # noqa: E402
from core.runs import actions, catalogue  # noqa: E402
from core.runs.person import OWNER  # noqa: E402
from core.runs.run import State  # noqa: E402
from core.runs.store import connect  # noqa: E402

Page, expect = playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000
HOSTILE = (
    "MARK ![x](http://elsewhere.example/x.png) [l](http://elsewhere.example/) $x^2$ &lt; a -- b -> "
    "c http://elsewhere.example www.elsewhere.example me@elsewhere.example :smile: :material/home:"
)
MADE_OF_IT = (
    "[href*=elsewhere]:not([href^='#']), [href^=mailto], img[src*=elsewhere], .katex, "
    "[data-testid=stIconMaterial]:text('home')"
)


def test_hostile_text_is_only_text(
    serve: Callable[..., str], new_page: Callable[..., Page], trained: Path, tmp_path: Path
) -> None:
    """Each page shows a name as it was typed: no link, no picture, no formula, no request."""
    runs = catalogue.listed()
    for run in runs:
        with connect() as (client, _):  # a name as long as another program may give it
            client.update_run(run.id, name=HOSTILE)
        actions.note(OWNER, run, HOSTILE)
        catalogue.set_tags(run.id, {"warning": HOSTILE, "reason": HOSTILE, "author": HOSTILE})
    going = catalogue.create(TrainConfig(), "sample")
    with connect() as (client, _):
        client.update_run(going.id, name=HOSTILE)
    alive = {"state": State.RUNNING, "alive_until": str(time.time() + 600), "steps": "48"}
    catalogue.set_tags(going.id, alive)
    for file in runs[0].folder.glob("*.*"):
        file.unlink()
    app = serve(ROOT / "streamlit_app.py", {"DIGITLAB_RUNS": str(trained)})
    page = new_page(f"{app}/train")
    shown = page.get_by_test_id("stSidebar").get_by_text("MARK")
    expect(shown).to_be_visible(timeout=LONG)
    said = shown.inner_text().replace("\u2060", "")
    assert said.startswith(HOSTILE)
    for name in ("Data", "Experiments", "Train", "Evaluate", "Draw", "Inside", "Compare"):
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()
        expect(page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )
        if name == "Draw":
            page.get_by_text("Upload", exact=True).click()
            expect(page.get_by_text("No picture yet")).to_be_visible()
            picture = {"name": f"{HOSTILE[:80].replace('/', '')}.png", "mimeType": "image/png"}
            page.locator("input[type=file]").first.set_input_files(picture | {"buffer": b"MARK"})
            expect(page.get_by_text("No picture yet")).to_have_count(0)
        if name == "Compare":
            page.get_by_test_id("stDataFrame").first.click(position={"x": 16, "y": 35 + 17})
            expect(page.get_by_role("button", name="Edit")).to_have_count(1)
        expect(page.get_by_text("MARK").first).to_be_attached()
        made = page.locator(MADE_OF_IT).evaluate_all("nodes => nodes.map(n => n.outerHTML)")
        assert made == [], name

"""A public demo as its visitors see it."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.experiments import definition
from core.jobs import limits, queue
from core.my_digits import collection
from core.runs import catalogue
from core.runs.person import Person, tag_for
from core.runs.run import Run, State
from tests.pages.elements import metric
from ui import keys

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
SECRETS = {name: name.ljust(43, "-") for name in ("first", "second")}
FIRST, SECOND = (Person("visitor", tag_for(secret)) for secret in SECRETS.values())

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


@pytest.fixture(autouse=True)
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A public demo, and browsers that are new to it."""
    shown = st.get_option("client.showErrorDetails")
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    monkeypatch.setattr(type(st.context), "cookies", {})
    yield
    st.set_option("client.showErrorDetails", shown)


def visit(name: str, page: str, **state: object) -> AppTest:
    """Open a page as one of the two visitors, with session state as given."""
    app = AppTest.from_file(APP, default_timeout=60)
    app.session_state[keys.PERSON] = SECRETS[name], "visitor"
    for key, value in state.items():
        app.session_state[key] = value
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    return app


def a_run(name: str, *states: State) -> Run:
    """Return a run of the first visitor's, with an epoch, moved through states."""
    run = catalogue.create(TrainConfig(), "sample", name=name, by=FIRST)
    catalogue.set_tags(run.id, {"alive_until": str(time.time() + 600), "steps": "48"})
    catalogue.log(run.id, [("best_epoch", 1, 1), ("epochs", 1, 1)])
    for state in states:
        catalogue.move(run.id, state)
    return catalogue.get(run.id)


def everything(app: AppTest) -> str:
    """Return all that a page says."""
    said = [str(getattr(element, "value", "")) for element in app.main]
    options = [str(box.options) for box in app.selectbox]
    tables = [table.value.to_string() for table in app.dataframe]
    sidebar = [str(getattr(element, "value", element)) for element in app.sidebar]
    return "\n".join(said + options + tables + sidebar)


@pytest.mark.parametrize("page", ["train", "compare", "evaluate", "draw"])
def test_no_page_shows_anothers_run_in_progress(page: str) -> None:
    """Others never see it, even with its id in their session; its owner does."""
    run = a_run("secretone", State.RUNNING)
    asked = {keys.WATCHED: run.id, keys.RUN: run.id, keys.COMPARED: [run.id]}
    assert "secretone" not in everything(visit("second", page, **asked))
    assert "secretone" in everything(visit("first", page, **asked))


def test_finished_runs_are_everybodys() -> None:
    """What others finished can be compared and drawn with."""
    a_run("sharedone", State.RUNNING, State.FINISHED)
    for page in ("compare", "draw"):
        assert "sharedone" in everything(visit("second", page))


def test_my_digits_live_in_the_session(own_runs: Path) -> None:
    """They are counted and evaluated, never written to disk, and gone in another session."""
    app = visit("first", "draw")
    visitor = Person("visitor", FIRST.tag, shelf=app.session_state[keys.SHELF])
    for label in range(3):
        collection.keep(np.eye(28, dtype=np.float32), label, visitor)
    app.run()
    assert [box.label for box in app.expander if "digits" in box.label] == ["My digits (3)"]
    app.session_state[keys.MY_DIGITS] = True
    app.run()
    assert not app.exception
    assert any("download them" in text.value for text in app.caption)
    app.session_state[keys.SPLIT] = collection.SPLIT
    app.switch_page("../pages/evaluate.py").run()
    assert not app.exception and "3 images" in metric(app, "Accuracy").help
    assert "teach" not in {button.key for button in app.button}
    again = visit("first", "draw")
    assert [box.label for box in again.expander if "digits" in box.label] == ["My digits (0)"]
    assert not (own_runs / "my-digits").exists()


def test_admin_of_a_demo_has_a_place_for_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the secret the limits end; without one set, a visitor is not asked."""
    asked = [one.key for one in visit("first", "home").text_input]
    assert "admin-secret-sidebar" not in asked
    monkeypatch.setenv("DIGITLAB_ADMIN", "a secret")
    monkeypatch.setattr("ui.people._PAUSE", 0)
    app = visit("first", "home")
    app.text_input(key="admin-secret-sidebar").set_value("a secret")
    app.button(key="admin-confirm-sidebar").click().run()
    assert app.session_state[keys.ADMIN]


def test_no_step_is_timed_in_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a visitor's sliders say, the estimate comes from the table alone."""
    from core.training import device

    precision = device.choose().precision
    rows = {f"fast_cnn {batch} {precision}": (batch / 1e4, batch / 1e5) for batch in (32, 128)}
    monkeypatch.setattr("core.jobs.speed.table", lambda: rows)
    monkeypatch.setattr(
        "core.training.estimate.step_seconds", lambda *_: pytest.fail("a step was run")
    )
    app = visit("first", "train", **{keys.ALL_SETTINGS: True})
    app.select_slider(key="setting-batch_size").set_value(4096).run()
    assert not app.exception
    assert [one.value for one in app.caption if one.value.startswith("About ")]


def test_experiment_has_an_owner_and_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor's second one is refused with what to do, while another visitor may start it."""
    monkeypatch.setattr("core.jobs.process.launch", lambda *_, **__: None)
    said = {}
    for name, slug in (("first", 0), ("first", 1), ("second", 1)):
        app = AppTest.from_file(APP, default_timeout=60)
        app.session_state[keys.PERSON] = SECRETS[name], "visitor"
        app.query_params["experiment"] = definition.library()[0][slug].slug
        app.switch_page("../pages/experiments.py").run()
        app.button(key="run-experiment").click().run()
        said[name, slug] = [error.value for error in app.error]
        assert not app.exception
    assert said["first", 0] == said["second", 1] == []
    assert "one run or experiment at a time" in said["first", 1][0]
    assert sorted(queue.owners()) == sorted([FIRST.tag, SECOND.tag])


def test_uploads_are_small() -> None:
    """A visitor may send a picture of a few MB, and nothing larger."""
    app = visit("first", "draw", **{"draw-mode": "Upload"})
    [uploader] = app.get("file_uploader")
    assert uploader.proto.max_upload_size_mb == limits.UPLOAD

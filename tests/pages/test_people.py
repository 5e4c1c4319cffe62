"""Visitors: on the server's own machine nothing is asked; a class is asked for names."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.data import mnist
from core.my_digits import collection
from core.runs import builtin, catalogue
from core.runs.person import OWNER, Person, tag_for
from core.runs.run import Run, State
from tests.pages.elements import metric, only
from ui import keys, people

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
SECRETS = {name: name.lower().ljust(43, "-") for name in ("Anna", "Ben")}
ANNA, BEN = (Person(name, tag_for(secret)) for name, secret in SECRETS.items())

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


@pytest.fixture(autouse=True)
def in_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server was started for a class, and the browser is new, unless a test says otherwise.

    An AppTest has no connection, which would bring the cookies.
    """
    monkeypatch.setenv("DIGITLAB_CLASS", "1")
    monkeypatch.setattr(type(st.context), "cookies", {})


def visit(name: str = "", page: str = "train") -> AppTest:
    """Open a page as somebody who gave their name before, or as somebody new."""
    app = AppTest.from_file(APP, default_timeout=60)
    if name:
        app.session_state[keys.PERSON] = SECRETS[name], name
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    return app


def there(app: AppTest, kind: str) -> set[str]:
    """Return the keys of the widgets of a kind."""
    return {widget.key for widget in app.get(kind)}


def training_run() -> Run:
    """Return a run of Anna's that is training."""
    run = catalogue.create(TrainConfig(), "sample", "fast_cnn", "of Anna", by=ANNA)
    tags = {"state": State.RUNNING, "alive_until": str(time.time() + 600), "steps": "48"}
    catalogue.set_tags(run.id, tags)
    return catalogue.get(run.id)


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        (None, {"Host": "localhost:8501"}, True),
        (None, {"Host": "127.0.0.1:8501"}, True),
        (None, {"Host": "[::1]:8501"}, True),
        ("192.0.2.7", {"Host": "localhost:8501"}, False),  # another machine that lies
        (None, {"Host": "digits.example"}, False),  # a site whose name was made to lead here
        (None, {}, False),
        (None, {"Host": "localhost:8501", "X-Forwarded-For": "192.0.2.7"}, False),  # a proxy
        (None, {"Host": "localhost:8501", "Forwarded": "for=192.0.2.7"}, False),
    ],
)
def test_only_a_browser_on_this_machine_is_local(
    address: str | None, headers: Mapping[str, str], local: bool
) -> None:
    """Only a browser on the server's own machine owns everything without being asked."""
    assert people.is_local(address, headers) == local


def test_on_ones_own_machine_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a class, the page is there at once, with every button, and no badge."""
    monkeypatch.delenv("DIGITLAB_CLASS")
    training_run()
    app = visit()
    assert "my-name" not in there(app, "text_input")
    assert {"start", "stop"} <= there(app, "button")


def test_name_is_asked_once() -> None:
    """The page comes after a name, and the session remembers it; an empty one is refused."""
    app = visit()
    assert "start" not in there(app, "button")
    app.button(key="enter").click().run()
    assert "Type your name" in only(app.error).value
    app.text_input(key="my-name").set_value("  Anna  ")
    app.button(key="enter").click().run()
    assert "start" in there(app, "button")
    secret, name = app.session_state[keys.PERSON]
    assert (len(secret), name) == (43, "Anna")
    app.run()
    assert app.session_state[keys.PERSON] == (secret, "Anna")


def test_whoever_leaves_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is asked again though the connection still brings the cookie; a new one is new."""
    monkeypatch.setattr(type(st.context), "cookies", {"digitlab": f"{SECRETS['Anna']}.Anna"})
    app = visit()
    assert "start" in there(app, "button")
    app.session_state[keys.ADMIN] = True
    app.button(key="leave").click().run()
    assert keys.ADMIN not in app.session_state
    assert not app.exception and "start" not in there(app, "button")
    app.text_input(key="my-name").set_value("Anna")
    app.button(key="enter").click().run()
    secret, name = app.session_state[keys.PERSON]
    assert name == "Anna" and secret != SECRETS["Anna"]


@pytest.mark.parametrize(
    ("cookie", "known"),
    [
        (f"{SECRETS['Anna']}.Anna", True),
        (f"{SECRETS['Anna']}.Zo%C3%AB%20B.", True),
        ("short.Anna", False),
        (f"{SECRETS['Anna']}.", False),
        (f"{SECRETS['Anna']}.%0A%00", False),
        (f"login {SECRETS['Anna']}.Anna", False),
    ],
)
def test_browser_that_was_here_is_known(
    monkeypatch: pytest.MonkeyPatch, cookie: str, known: bool
) -> None:
    """The cookie of an earlier visit opens the page; a damaged one is as good as none."""
    monkeypatch.setattr(type(st.context), "cookies", {"digitlab": cookie})
    assert ("start" in there(visit(), "button")) == known


def test_stop_is_for_the_owner_of_the_run() -> None:
    """Anna can stop her run; Ben sees the run, its progress, and no Stop."""
    training_run()
    assert "stop" in there(visit("Anna"), "button")
    ben = visit("Ben")
    assert "stop" not in there(ben, "button")
    assert "of Anna" in "".join(element.value for element in ben.markdown)


def test_others_runs_say_whose_they_are() -> None:
    """Ben reads Anna's name with her run, in the queue too; to Anna it goes without saying."""
    training_run()
    waiting = catalogue.create(TrainConfig(), "sample", "fast_cnn", "later", by=ANNA)
    catalogue.set_tags(waiting.id, {"alive_until": str(time.time() + 600)})
    for name, says in (("Ben", True), ("Anna", False)):
        app = visit(name)
        assert any(text.value.endswith(", by Anna") for text in app.caption) == says
        queue = [text.value for text in app.markdown if "later" in text.value]
        assert any(line.endswith("later, by Anna") for line in queue) == says


def test_ones_own_network_reads_first(trained: Path) -> None:
    """Draw begins with the visitor's own best run, and never with a classmate's."""
    run = catalogue.listed()[0]
    catalogue.set_tags(run.id, {"owner": ANNA.tag, "author": ANNA.name})
    chosen = {
        name: visit(name, "draw").selectbox(key=keys.RUN_CHOICE).value for name in ("Anna", "Ben")
    }
    assert chosen == {"Anna": run.id, "Ben": builtin.run().id}


def test_admin_may_stop_everybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The admin secret, and no other, gives Ben the Stop of Anna's run."""
    monkeypatch.setenv("DIGITLAB_ADMIN", "a secret")
    monkeypatch.setattr(people, "_PAUSE", 0)
    training_run()
    app = visit("Ben")
    for said, may in (("another", False), ("", False), ("a secret", True)):
        app.text_input(key="admin-secret-sidebar").set_value(said)
        app.button(key="admin-confirm-sidebar").click().run()
        assert ("stop" in there(app, "button")) == may


def test_without_an_admin_secret_nobody_is_admin() -> None:
    """Where none was set, none is asked for."""
    assert "admin-secret-sidebar" not in there(visit("Ben"), "text_input")


def test_started_run_is_the_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run started by Anna has her name and tag; a run of the machine's owner has neither."""
    from core.jobs import request

    monkeypatch.setattr(request, "launch", lambda _: None)
    visit("Anna").button(key="start").click().run()
    run = catalogue.listed()[0]
    assert (run.author, run.owner) == ("Anna", ANNA.tag)
    monkeypatch.delenv("DIGITLAB_CLASS")
    visit().button(key="start").click().run()
    assert catalogue.listed()[0].owner == OWNER.tag == ""


def keep(person: Person, *labels: int) -> None:
    """Save the sample's first digit of each label as a person's."""
    digits = mnist.load("sample")
    for label in labels:
        image = digits.train_images[digits.train_labels == label][0]
        collection.keep(image.astype(np.float32) / 255, label, person)


def evaluated(name: str, **state: str) -> AppTest:
    """Open Evaluate as somebody, with session state as given."""
    app = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/evaluate.py")
    app.session_state[keys.PERSON] = SECRETS[name], name
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    return app


def test_class_digits_are_a_split_and_my_digits_are_mine() -> None:
    """Anna, who saved digits, has both splits; Ben, who did not, has the class's: her digits."""
    keep(ANNA, 1, 2, 3)
    anna, ben = evaluated("Anna"), evaluated("Ben")
    assert anna.segmented_control(key="split").options == ["known", "my digits"]
    assert ben.segmented_control(key="split").options == ["known", "class digits"]
    keep(BEN, 4)
    ben.run()
    options = ben.segmented_control(key="split").options
    assert options == ["known", "my digits", "class digits"]
    ben.segmented_control(key="split").set_value("class digits").run()
    assert not ben.exception
    assert ben.selectbox(key="whose").options == ["everybody · 4", "Anna · 3", "Ben · 1"]
    [worst] = [one.value for one in ben.dataframe if "interval" in one.value.columns]
    assert sorted(worst["name"]) == ["Anna", "Ben"] and sorted(worst["count"]) == [1, 3]
    ben.selectbox(key="whose").set_value(ANNA.tag).run()
    assert not ben.exception
    assert ben.session_state["whose"] == ANNA.tag
    assert "teach" not in there(ben, "button")  # another's digits are not taught
    assert "3 images" in metric(ben, "Accuracy").help


def test_withheld_digits_are_gone_from_others() -> None:
    """Anna's switch takes her digits from Ben's choice, even from one that he has made."""
    keep(ANNA, 1)
    keep(Person("Cem", tag_for("of Cem")), 5)
    ben = evaluated("Ben", split="class digits", whose=ANNA.tag)
    assert ben.selectbox(key="whose").value == ANNA.tag
    anna = visit("Anna", "draw")
    anna.session_state[keys.MY_DIGITS] = True
    anna.run()
    anna.toggle(key="withhold").set_value(True).run()
    assert not anna.exception
    ben.run()
    assert not ben.exception
    assert ben.selectbox(key="whose").options == ["everybody · 1", "Cem · 1"]


def test_saved_drawings_are_the_visitors() -> None:
    """The Draw page counts a visitor's own digits, and has no switch to withhold for the owner."""
    keep(ANNA, 1, 2)
    keep(OWNER, 3)
    assert [box.label for box in visit("Anna", "draw").expander] == ["My digits (2)"]
    assert [box.label for box in visit("Ben", "draw").expander] == ["My digits (0)"]

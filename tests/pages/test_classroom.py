"""The Class page: how to join, who is there, and a teacher who can end any run."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.jobs import request
from core.runs import catalogue
from core.runs.person import Person, tag_for
from core.runs.run import Run, State
from tests.pages.elements import table_with
from ui import keys, people
from ui.classroom import start
from ui.classroom.attendance import AWAY, Attendance

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
ANNA, BEN = (Person(name, tag_for(name.ljust(43, "-"))) for name in ("Anna", "Ben *B*"))

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


@pytest.fixture(autouse=True)
def in_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server was started for a class, with an admin secret; browsers are new."""
    monkeypatch.setenv("DIGITLAB_CLASS", "http://192.0.2.7:8501")
    monkeypatch.setenv("DIGITLAB_ADMIN", "a secret")
    monkeypatch.setattr(people, "_PAUSE", 0)
    monkeypatch.setattr(type(st.context), "cookies", {})


def visit(person: Person) -> AppTest:
    """Open the Class page as somebody."""
    app = AppTest.from_file(APP, default_timeout=60)
    app.session_state[keys.PERSON] = person.name.ljust(43, "-"), person.name
    app.switch_page("../pages/classroom.py").run()
    assert not app.exception
    return app


def teacher() -> AppTest:
    """Open the Class page as somebody who gives the admin secret."""
    app = visit(Person("Teacher", ""))
    app.text_input(key="admin-secret-page").set_value("a secret")
    app.button(key="admin-confirm-page").click().run()
    assert not app.exception
    return app


def training_run() -> Run:
    """Return a run of Ben's that is training."""
    run = catalogue.create(TrainConfig(), "sample", "fast_cnn", "his run", by=BEN)
    tags = {"state": State.RUNNING, "alive_until": str(time.time() + 600), "steps": "48"}
    catalogue.set_tags(run.id, tags)
    return catalogue.get(run.id)


def test_address_is_shown_to_all_and_the_class_only_to_an_admin() -> None:
    """Anna sees how to join, but neither who is there, nor what is training, nor any Stop."""
    run = training_run()
    app = visit(ANNA)
    assert "http://192.0.2.7:8501" in [title.value for title in app.title]
    assert not app.dataframe
    assert f"end-{run.id}" not in {button.key for button in app.button}


def test_admin_sees_who_is_there_and_ends_any_run() -> None:
    """The teacher's table has everybody who was seen, and Stop asks Ben's run to stop."""
    run = training_run()
    visit(ANNA)
    visit(BEN)
    app = teacher()
    table = table_with(app, "seen").value
    assert table["name"].tolist() == ["Anna", "Ben *B*", "Teacher"]
    assert table["runs"].tolist() == [0, 1, 0]
    assert set(table["seen"]) == {"now"}
    assert not catalogue.stop_requested(run.id)
    app.button(key=f"end-{run.id}").click().run()
    assert not app.exception and catalogue.stop_requested(run.id)
    assert app.button(key=f"end-{run.id}").disabled


def test_without_a_class_there_is_no_such_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the server's own machine the sidebar has no link to it."""
    links = {link.proto.label for link in visit(ANNA).get("page_link")}
    monkeypatch.delenv("DIGITLAB_CLASS")
    app = AppTest.from_file(APP, default_timeout=60).run()
    assert not app.exception
    assert links - {link.proto.label for link in app.get("page_link")} == {"Class"}


def test_training_does_not_inherit_the_admin_secret() -> None:
    """What a training process gets of the server's environment lacks it, and nothing else."""
    environment = request.worker_environment()
    assert "DIGITLAB_ADMIN" not in environment
    assert environment["DIGITLAB_CLASS"] == "http://192.0.2.7:8501"


def test_attendance_keeps_the_latest_names_and_no_more_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A visitor without a name is not listed; beyond the limit, the longest unseen is dropped."""
    monkeypatch.setattr("ui.classroom.attendance._MOST", 2)
    attendance = Attendance()
    for person in (ANNA, Person("", ""), BEN, ANNA, Person("Cem", "c")):
        attendance.note(person)
    assert [name for _, name, _ in attendance.people()] == ["Anna", "Cem"]


def test_person_who_comes_back_in_a_new_browser_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two people with one name count once if the first has left, and twice while both are there."""
    clock = SimpleNamespace(now=1000.0, time=lambda: clock.now)
    monkeypatch.setattr("ui.classroom.attendance.time", clock)
    attendance = Attendance()
    attendance.note(ANNA)
    clock.now += 2 * AWAY
    attendance.note(Person("anna", "new"))
    attendance.note(BEN)
    attendance.note(Person(BEN.name, "another"))
    found = {tags for tags, *_ in attendance.people()}
    assert found == {("new", ANNA.tag), ("another",), (BEN.tag,)}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "http://192.0.2.7:8501"),
        ("laptop.local", "http://laptop.local:8501"),
        ("2001:db8::7", "http://[2001:db8::7]:8501"),
    ],
)
def test_join_address_is_a_url(host: str, address: str) -> None:
    """Names and addresses of both kinds can be opened."""
    assert start.join_address(host, 8501) == address


def test_own_address_is_one_of_this_machine() -> None:
    """A server can listen at the address, which is possible only at the machine's own addresses."""
    import socket

    with socket.create_server((start.own_address(), 0)):
        pass

"""A class in Chromium: one command starts it, and students cannot change each other's runs."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from core.config import TrainConfig
from core.my_digits import collection
from core.runs import catalogue
from core.runs.person import Person, tag_for
from core.runs.run import Run, State

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Page, expect = playwright.Page, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000  # milliseconds: starting the server, or loading PyTorch


@dataclass(frozen=True)
class Class:
    """What the command printed: where to join, and the admin secret."""

    address: str
    secret: str


@pytest.fixture
def school(own_runs: Path, tmp_path: Path) -> Iterator[Class]:
    """A class on the test's own store, started as `make class` starts it."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    own = {"DIGITLAB_DATA": str(tmp_path / "none"), "STREAMLIT_SERVER_HEADLESS": "true"}
    log, at = tmp_path / "class.log", ("--address", "localhost")
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.classroom.start", *at, "--port", str(port)],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != "DIGITLAB_ADMIN"} | own,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    printed = r"Join at +(\S+)\n.*\n.*under your name: +(\S+)\n"
    end = time.monotonic() + LONG / 1000
    while not (found := re.search(printed, log.read_text())) or "URL:" not in log.read_text():
        assert server.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    yield Class(*found.groups())
    server.terminate()
    server.wait(timeout=20)


def join(page: Page, name: str, *, touch: bool = False) -> Person:
    """Type a name where the page asks for it; return the browser's person."""
    field = page.get_by_role("textbox", name="Your name")
    expect(field).to_be_visible(timeout=LONG)
    field.fill(name)
    enter = page.get_by_role("button", name="Enter", exact=True)
    if touch:
        enter.tap()
    else:
        enter.click()
    expect(field).to_be_hidden(timeout=LONG)
    page.wait_for_function("document.cookie.includes('digitlab=')")
    [cookie] = [one for one in page.context.cookies() if one["name"] == "digitlab"]
    secret, _, told = cookie["value"].partition(".")
    assert unquote(told) == name
    return Person(name, tag_for(secret))


def run_of(person: Person, name: str, **tags: str) -> Run:
    """Return a person's run, as its process would have left it in the store."""
    run = catalogue.create(TrainConfig(epochs=2), "sample", "fast_cnn", name, by=person)
    catalogue.set_tags(run.id, tags)
    return catalogue.get(run.id)


def training_run(person: Person) -> Run:
    """Return a person's run that is training."""
    name = f"{person.name} trains"
    return run_of(person, name, state=State.RUNNING, alive_until="9e12", steps="100")


def test_two_see_each_others_runs_and_cannot_change_them(
    school: Class, new_page: Callable[..., Page]
) -> None:
    """Anna can stop and edit her run; Ben, on a phone, sees it without Stop and Edit."""
    first = new_page(f"{school.address}/train")
    second = new_page(
        f"{school.address}/train", viewport={"width": 390, "height": 844}, has_touch=True
    )
    anna, ben = join(first, "Anna"), join(second, "Ben", touch=True)
    assert anna.tag != ben.tag
    run = training_run(anna)
    for page in (first, second):
        page.reload()
        shown = page.get_by_test_id("stMain").get_by_text("Anna trains").first
        expect(shown).to_be_visible(timeout=LONG)
    stop = first.locator(".st-key-stop").get_by_role("button", name="Stop")
    expect(stop).to_be_visible()
    expect(second.locator(".st-key-stop")).to_have_count(0)
    stop.click()
    first.wait_for_function("document.querySelector('.st-key-stop button')?.disabled")
    assert catalogue.stop_requested(run.id)

    catalogue.set_tags(run.id, {"state": State.STOPPED})
    for page, may in ((first, True), (second, False)):
        page.goto(f"{school.address}/compare")
        table = page.get_by_test_id("stMain").get_by_test_id("stDataFrame").first
        expect(table.get_by_text("Anna trains")).to_be_attached(timeout=LONG)
        table.click(position={"x": 16, "y": 35 + 17})
        expect(page.locator(f".st-key-evaluate-{run.id}")).to_be_visible(timeout=LONG)
        expect(page.locator(f".st-key-edit-{run.id}")).to_have_count(int(may))


def test_teacher_sees_who_is_there_and_ends_a_run(
    school: Class, new_page: Callable[..., Page]
) -> None:
    """A student's run is stopped from another browser, with the secret that the command printed."""
    pupil = new_page(f"{school.address}/draw")
    anna = join(pupil, "Anna")
    run = training_run(anna)
    page = new_page(f"{school.address}/classroom")
    join(page, "Teacher")
    expect(page.get_by_role("heading", name=school.address)).to_be_visible()
    expect(page.get_by_test_id("stImage").locator("img")).to_be_visible()
    page.locator(".st-key-admin-secret-page input").fill(school.secret)
    page.locator(".st-key-admin-confirm-page button").click()
    expect(page.get_by_role("heading", name="2 people here")).to_be_visible(timeout=LONG)
    page.locator(f".st-key-end-{run.id}").get_by_role("button", name="Stop").click()
    page.wait_for_function(f"document.querySelector('.st-key-end-{run.id} button')?.disabled")
    assert catalogue.stop_requested(run.id)


def test_digits_are_counted_as_their_owners_and_offered_to_the_class(
    school: Class, new_page: Callable[..., Page]
) -> None:
    """What Anna saved is counted as hers on Draw, and offered to Ben on Evaluate, not as his."""
    first, second = new_page(f"{school.address}/draw"), new_page(f"{school.address}/draw")
    anna, _ = join(first, "Anna"), join(second, "Ben")
    for label in (1, 7):
        collection.keep(np.eye(28, dtype=np.float32), label, anna)
    for page, count in ((first, 2), (second, 0)):
        page.reload()
        expect(page.get_by_text(f"My digits ({count})")).to_be_visible(timeout=LONG)
    second.goto(f"{school.address}/evaluate")
    second.get_by_text("class digits", exact=True).click(timeout=LONG)
    whose = second.locator(".st-key-whose")
    expect(whose.get_by_role("combobox")).to_have_value("everybody · 2", timeout=LONG)
    expect(second.get_by_text("my digits", exact=True)).to_have_count(0)

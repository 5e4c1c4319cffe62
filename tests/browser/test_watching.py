"""Watching a run in Chromium: its curves grow through the door, and without it.

The test writes a run's points into the store itself, as a training's recorder does.
"""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from core.config import TrainConfig
from core.runs import catalogue
from core.runs.run import State

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Page, Route, expect = playwright.Page, playwright.Route, playwright.expect

ROOT = Path(__file__).parents[2]
LONG = 60_000  # milliseconds: an answer that includes loading PyTorch on a busy machine
CHART = """document.querySelector("[aria-label^='{0}'] .js-plotly-plot")"""
POINTS = f"({CHART}?.data?.[0]?.x?.length ?? {CHART}?._fullData?.[0]?.x?.length ?? 0)"
DRAWN = f"({CHART}?.calcdata?.[0]?.length ?? 0)"  # those that Plotly has drawn, with hover labels
LINE = f"{CHART}.querySelector('.js-line').getAttribute('d')"
DOOR = "**/api/runs/**"


class Training:
    """A run of two epochs of 50 steps, written to the store as its process would."""

    def __init__(self) -> None:
        config = TrainConfig(epochs=2, batch_size=100)
        self.run = catalogue.create(config, "sample", name="watched")
        self.move(State.RUNNING, steps="100", alive_until="9e12")

    def move(self, state: State, **tags: str) -> None:
        """Enter a new state."""
        catalogue.set_tags(self.run.id, {"state": state, **tags})

    def step(self, number: int, loss: float | None = None, accuracy: float = 0.5) -> None:
        """Report a step."""
        values = {"loss": loss or 1 / number, "accuracy": accuracy, "learning_rate": 0.01}
        values["images_per_second"] = 100.0
        points = [(f"step/{key}", value, number) for key, value in values.items()]
        catalogue.log(self.run.id, [*points, ("progress", number, number)])

    def epoch(self, number: int) -> None:
        """Report an epoch."""
        values = {"train_loss": 0.5, "train_accuracy": 0.8, "validation_loss": 0.4}
        values |= {"validation_accuracy": 0.9, "seconds": 5.0, "total_seconds": 5.0 * number}
        points = [(f"epoch/{key}", value, number) for key, value in values.items()]
        ends = {"epochs": number, "best_epoch": number, "train_seconds": 5.0 * number}
        ends["best_validation_accuracy"] = 0.9
        catalogue.log(self.run.id, points + [(key, value, number) for key, value in ends.items()])


@pytest.fixture
def training() -> Training:
    """A training that has taken ten steps."""
    training = Training()
    training.step(5)
    training.step(10)
    return training


@pytest.fixture
def app(serve: Callable[..., str], own_runs: Path) -> str:
    """The app's address under a base path, where it shows the test's own store."""
    environment = {"DIGITLAB_RUNS": str(own_runs), "STREAMLIT_SERVER_BASE_URL_PATH": "lab"}
    return serve(ROOT / "streamlit_app.py", environment)


def wait_for_points(page: Page, count: int, chart: str = "Loss") -> None:
    """Wait until the curve of the steps has this many points."""
    points = POINTS.format(chart)
    page.wait_for_function(f"{points} === {count}", timeout=LONG)


def count_redraws(page: Page) -> Callable[[], int]:
    """Return a function that counts how often charts were drawn from new figures since now."""
    page.evaluate(
        """() => {
          const { react } = window.Plotly;
          window.redraws = 0;
          window.Plotly.react = (...given) => (window.redraws++, react(...given));
        }"""
    )
    return lambda: int(page.evaluate("window.redraws"))


def wait_for_the_door(page: Page) -> None:
    """Wait until the page gets its points from the door: two requests have been answered."""
    for _ in range(2):
        page.wait_for_event("requestfinished", lambda one: "/live?after=" in one.url)


def watching(app: str, new_page: Callable[..., Page], points: int) -> Page:
    """Open the Train page, and wait until it has these points and the door brings the others."""
    page = new_page(f"{app}/train", viewport={"width": 1440, "height": 1000})
    wait_for_points(page, points)
    wait_for_the_door(page)
    return page


def test_curves_grow_without_redrawing(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """Points, progress, speed and time left come through the door; an epoch redraws the page."""
    page = watching(app, new_page, 2)
    redraws = count_redraws(page)
    training.step(20)
    training.step(30)
    for chart in ("Loss", "Accuracy", "Learning rate"):
        wait_for_points(page, 4, chart)
    expect(page.get_by_text("Epoch 1 of 2 · step 30 of 100")).to_be_visible()
    expect(page.get_by_text("100 images a second · 1 min 10 s left")).to_be_visible()
    expect(page.get_by_role("progressbar", name="step 30 of 100")).to_have_attribute(
        "aria-valuenow", "30"
    )
    assert redraws() == 0

    training.step(50)
    training.epoch(1)
    page.wait_for_function("window.redraws > 0")
    expect(page.get_by_text("Epoch 2 of 2 · step 50 of 100")).to_be_visible()
    wait_for_points(page, 5)
    training.step(60)
    wait_for_points(page, 6)

    page.evaluate(f"window.place = () => {CHART}.getBoundingClientRect().top".format("Loss"))
    page.evaluate(f"[window.node, window.top_] = [{CHART}, window.place()]".format("Loss"))
    training.move(State.STOPPED, reason="in epoch 2 of 2")
    expect(page.get_by_text("Stopped · in epoch 2 of 2")).to_be_visible(timeout=LONG)
    wait_for_points(page, 6)
    # The chart is the same one, where it was: nothing is drawn from nothing, and nothing jumps.
    page.wait_for_function(
        f"{CHART} === window.node && Math.abs(window.place() - window.top_) < 3".format("Loss"),
        timeout=LONG,
    )
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.wait_for_timeout(3_000)
    assert [url for url in asked if "/live" in url] == []


def test_zoom_and_resizing_keep_the_points(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """A chart that is redrawn for a new width keeps the points that came through the door."""
    page = watching(app, new_page, 2)
    redraws = count_redraws(page)
    training.step(20)
    wait_for_points(page, 3)
    page.set_viewport_size({"width": 1000, "height": 1000})
    page.wait_for_function("window.redraws > 0")
    wait_for_points(page, 3)
    assert redraws() > 0


def test_a_line_is_lengthened_as_plotly_draws_it(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """New points lengthen the line at once; under the pointer, Plotly draws the same line."""
    training.step(15, accuracy=0.9)
    page = watching(app, new_page, 3)
    drawn, line = DRAWN.format("Accuracy"), LINE.format("Accuracy")
    for number, accuracy in ((20, 0.6), (30, 0.8), (40, 0.7)):  # within the scale
        training.step(number, accuracy=accuracy)
    wait_for_points(page, 6, "Accuracy")
    assert page.evaluate(drawn) == 3
    lengthened = numbers(page.evaluate(line))
    assert len(lengthened) == 12
    page.locator("[aria-label^='Accuracy'] .drawing").hover()
    page.wait_for_function(f"{drawn} === 6")
    assert numbers(page.evaluate(line)) == pytest.approx(lengthened, abs=0.01)
    training.step(45)
    page.wait_for_function(f"{drawn} === 7")  # under the pointer, hover labels know it at once


def numbers(path: str) -> list[float]:
    """Return the numbers in an SVG path."""
    return [float(number) for number in re.findall(r"[-\d.]+", path)]


def test_a_chart_out_of_sight_is_drawn_once_it_is_in_sight(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """New points cost a chart below the window nothing, and are there when it is scrolled to."""
    page = new_page(f"{app}/train", viewport={"width": 1440, "height": 600})
    wait_for_points(page, 2, "Learning rate")
    wait_for_the_door(page)
    training.step(20)
    wait_for_points(page, 3, "Learning rate")
    drawn = DRAWN.format("Learning rate")
    assert page.evaluate(drawn) == 2
    page.locator("[aria-label='Learning rate']").scroll_into_view_if_needed()
    page.wait_for_function(f"{drawn} === 3")


def test_points_beyond_the_scale_are_drawn_by_plotly(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """A loss higher than any before makes the axis longer."""
    page = watching(app, new_page, 2)
    training.step(20, loss=5.0)
    page.wait_for_function(f"{DRAWN.format('Loss')} === 3")
    assert page.evaluate(f"{CHART.format('Loss')}._fullLayout.yaxis.range[1]") >= 5


def test_watchers_of_a_run_have_the_same_figures(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """After an epoch the page draws it whole, and the points since then come through the door."""
    training.step(50)
    training.epoch(1)
    training.step(60)
    page = new_page(f"{app}/train", viewport={"width": 1440, "height": 1000})
    wait_for_points(page, 4)
    wait_for_the_door(page)  # the page is drawn again, without the last point, which then comes
    wait_for_points(page, 4)
    training.step(70)
    wait_for_points(page, 5)
    steps = page.evaluate(f"{CHART.format('Loss')}.data[0].x")
    assert steps == [0.1, 0.2, 1, 1.2, 1.4]


def pauses(page: Page, count: int) -> list[float]:
    """Return the milliseconds between so many answers of the door and the questions after them."""
    page.evaluate("performance.clearResourceTimings()")
    asked = (
        """performance.getEntriesByType("resource").filter(({ name }) => name.includes("/live"))"""
    )
    page.wait_for_function(f"{asked}.length > {count}", timeout=LONG)
    times = page.evaluate(
        f"{asked}.map(({{ startTime, responseEnd }}) => [startTime, responseEnd])"
    )
    return [later - end for (_, end), (later, _) in pairwise(times)]


def test_door_is_asked_more_often_until_there_is_a_line(
    app: str, new_page: Callable[..., Page]
) -> None:
    """It is asked four times a second while a run begins, and once when two points have come."""
    training = Training()
    page = new_page(f"{app}/train", viewport={"width": 1440, "height": 1000})
    wait_for_the_door(page)
    assert min(pauses(page, 5)) < 900
    training.step(1)
    training.step(5)
    wait_for_points(page, 3)  # the first of which is a gap
    assert min(pauses(page, 3)) > 900


def as_a_proxy(route: Route) -> None:
    """Answer like a proxy that lets only pages through."""
    route.fulfill(status=200, content_type="text/html", body="<!doctype html>")


def test_page_goes_on_where_the_door_never_answers(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """Without the door, the page is redrawn every few seconds with all points."""
    page = new_page("about:blank")
    page.route(DOOR, as_a_proxy)
    page.goto(f"{app}/train")
    wait_for_points(page, 2)
    training.step(30)
    wait_for_points(page, 3)
    expect(page.get_by_text("Epoch 1 of 2 · step 30 of 100")).to_be_visible()
    expect(page.get_by_text("100 images a second · 1 min 10 s left")).to_be_visible()
    training.move(State.STOPPED, reason="stopped in epoch 1")
    expect(page.get_by_text("Stopped · stopped in epoch 1")).to_be_visible()


def test_page_goes_on_where_the_door_falls_silent(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """If the door stops answering, the page is redrawn instead, until the door answers again."""
    page = new_page(f"{app}/train")
    wait_for_points(page, 2)
    wait_for_the_door(page)
    page.route(DOOR, as_a_proxy)
    training.step(30)
    wait_for_points(page, 3)
    training.step(40)
    wait_for_points(page, 4)
    page.unroute(DOOR)
    wait_for_the_door(page)
    redraws = count_redraws(page)
    training.step(45)
    wait_for_points(page, 5)
    assert redraws() == 0


def test_door_is_asked_one_question_at_a_time_and_none_in_the_background(
    app: str, training: Training, new_page: Callable[..., Page]
) -> None:
    """Only one request to a slow door is open at a time, and a hidden page sends none."""
    page = new_page(f"{app}/train")
    wait_for_points(page, 2)
    wait_for_the_door(page)
    held: list[Any] = []
    page.route(DOOR, lambda route: held.append(route))
    page.wait_for_event("request", lambda one: "/live?after=" in one.url)
    page.wait_for_timeout(3_000)
    assert len(held) == 1
    held[0].continue_()
    page.unroute(DOOR)
    wait_for_the_door(page)

    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    asked.clear()
    page.wait_for_timeout(3_000)
    assert [url for url in asked if "/live" in url] == []
    page.evaluate("delete document.hidden")
    wait_for_the_door(page)

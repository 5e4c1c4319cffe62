"""The Sweeps page: start one, watch it, change it."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.runs import catalogue
from core.runs.person import OWNER
from core.runs.run import State
from core.sweeps import control, sweep, worker
from core.sweeps.space import space_from
from core.sweeps.sweep import Outcome, Plan
from tests.pages.elements import metric, only
from ui import keys

APP = str(Path(__file__).parents[2] / "ui" / "app.py")

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


@pytest.fixture(autouse=True)
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The sweeps for which workers were asked, and how many: tests do their own trials."""
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(control, "launch", lambda name, workers: asked.append((name, workers)))
    return asked


def opened() -> AppTest:
    """Open the page, without a fault."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/sweeps.py").run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    """Return all that the page says."""
    return "\n".join(one.value for one in [*page.markdown, *page.caption, *page.info])


def end(run_id: str, accuracy: float) -> None:
    """Finish a trial's run, without training."""
    catalogue.log(run_id, [("best_validation_accuracy", accuracy, 1)])
    catalogue.move(run_id, State.RUNNING)
    catalogue.move(run_id, State.FINISHED)


@pytest.fixture
def half_done() -> str:
    """The name of a sweep of five trials, three of which are over, and one runs."""
    base = TrainConfig(network="mlp", epochs=2, train_size=500, validation_size=100)
    space = space_from({"learning_rate": "0.001:0.1:log", "optimizer": "sgd,adam"})
    plan = Plan(base=base, recipe="mlp", data="sample", space=space, trials=5)
    control.start("search", plan, OWNER)
    for accuracy in (0.5, 0.75, 0.6):
        claimed = worker.claim("search")
        assert claimed
        trial, run = claimed
        trial.report(accuracy, 1)
        end(run.id, accuracy)
    assert worker.claim("search")
    return "search"


def end_the_rest(name: str) -> None:
    """Finish the two trials that are left."""
    [left] = [one for one in sweep.get(name).trials if one.outcome == Outcome.RUNNING]
    end(left.run, 0.55)
    claimed = worker.claim(name)
    assert claimed
    end(claimed[1].id, 0.65)
    assert worker.claim(name) is None


def test_images_to_learn_from_vary_up_to_all_there_are() -> None:
    """The form offers no more than the data have, and says why more is refused."""
    page = opened()
    page.multiselect(key="sweep-vary").set_value(["train_size"]).run()
    bounds = page.text_input(key="sweep-bounds-train_size")
    assert bounds.value == "100:3000:log"
    assert not page.warning and not page.button(key="sweep-start").disabled
    bounds.set_value("100:4000:log").run()
    assert "There are 3,000 images to learn from" in page.warning[0].value
    assert page.button(key="sweep-start").disabled


def test_a_sweep_starts_with_what_was_typed(
    launched: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name, recipe, bounds, trials and workers are the form's, which shows the time it takes."""
    page = opened()
    assert "There is no sweep yet" in texts(page)
    page.text_input(key="sweep-name").set_value("mine")
    page.selectbox(key="sweep-recipe").set_value("mlp")
    page.multiselect(key="sweep-vary").set_value(["learning_rate", "optimizer"])
    page.run()
    page.text_input(key="sweep-bounds-learning_rate").set_value("0.01:0.2")
    page.number_input(key="sweep-trials").set_value(7)
    page.slider(key="sweep-workers").set_value(2)
    page.run()
    assert "7 trials. To see here how long they will take, open the Train page" in texts(page)
    monkeypatch.setattr("core.jobs.speed.step_seconds", lambda *_: (0.01, 0.005))
    assert "7 trials of about" in texts(page.run())
    page.button(key="sweep-start").click().run()
    assert not page.exception
    started = sweep.get("mine")
    assert launched == [("mine", 2)]
    assert (started.plan.recipe, started.plan.trials) == ("mlp", 7)
    assert str(started.plan.space["learning_rate"]) == "0.01:0.2"
    assert page.session_state[keys.SWEEP] == "mine"


def test_impossible_bounds_cannot_start() -> None:
    """The page says what is wrong with them, and Start waits."""
    page = opened()
    page.text_input(key="sweep-bounds-learning_rate").set_value("0.2:0.1").run()
    assert "a lower and a higher bound" in only(page.warning).value
    assert page.button(key="sweep-start").disabled


def test_a_sweep_is_shown_as_it_goes(half_done: str) -> None:
    """How many are done, the best and its settings, and every trial in the table, best first."""
    page = opened()
    best = sweep.get(half_done).best
    assert best
    assert "3 of 5 trials done · 1 running" in texts(page)
    assert metric(page, "Best validation accuracy so far").value == "75.00 %"
    assert f"Trial {best.number}: learning rate" in texts(page).replace("\\", "")
    [table] = page.dataframe
    assert list(table.value["validation"].dropna()) == pytest.approx([75, 60, 50])
    assert table.value["trial"].iloc[0] == best.number


def test_a_sweep_is_changed_while_it_goes(half_done: str, launched: list[tuple[str, int]]) -> None:
    """It is paused and resumed, given more trials and other bounds."""
    page = opened()
    page.button(key="sweep-pause").click().run()
    assert sweep.get(half_done).state == "paused"
    page.button(key="sweep-resume").click().run()
    assert sweep.get(half_done).state == "running"
    page.number_input(key="sweep-more").set_value(4).run()
    page.button(key="sweep-more-add").click().run()
    assert sweep.get(half_done).plan.trials == 9
    assert launched == [(half_done, 1)]
    page.text_input(key=f"sweep-new-{half_done}-optimizer").set_value("adam,adamw").run()
    page.button(key="sweep-bounds-change").click().run()
    assert not page.exception
    assert str(sweep.get(half_done).plan.space["optimizer"]) == "adam,adamw"


def test_a_press_counts_though_the_sweep_has_just_ended(
    half_done: str, launched: list[tuple[str, int]]
) -> None:
    """A click on the page of a sweep in progress counts even if the sweep has just ended."""

    def looking() -> None:
        import streamlit as st

        from ui.sweeps import progress

        progress._progress("search", st.session_state.pop("going", False))

    page = AppTest.from_function(looking, default_timeout=60)
    page.session_state["going"] = True
    page.run()
    end_the_rest(half_done)
    page.session_state["going"] = True
    page.button(key="sweep-more-add").click().run()
    assert not page.exception
    assert sweep.get(half_done).plan.trials == 15
    assert launched == [(half_done, 1)]


def test_the_best_are_confirmed_when_the_search_is_over(
    half_done: str, launched: list[tuple[str, int]]
) -> None:
    """One press ends it; each setting has its mean and n, and at last there is a winner."""
    assert "sweep-confirm" not in {button.key for button in opened().button}
    end_the_rest(half_done)
    page = opened()
    page.button(key="sweep-confirm").click().run()
    assert not page.exception
    assert launched == [(half_done, 1)]
    now = sweep.get(half_done)
    assert len(now.confirming) == 25 and now.state == "waiting"
    assert "0 of 25 confirming runs done" in texts(page)
    assert {"sweep-confirm", "sweep-more-add"}.isdisjoint(button.key for button in page.button)

    while claimed := worker.claim(half_done):
        _, run = claimed
        wins = run.name.startswith(f"{half_done} 2, ")
        end(run.id, (0.9 if wins else 0.8) + run.config.seed / 1000)
    page = opened()
    [table] = [one.value for one in page.dataframe if "Seeds" in one.value]
    assert table["Trial"].iloc[0] == 2 and set(table["Seeds"]) == {"5 of 5"}
    assert table["Validation"].iloc[0] == "90.30 ± 0.16 %"
    assert "Trial 2 is significantly better than trial" in texts(page)
    assert {one.label: one.value for one in page.metric}["Test accuracy of trial 2"] == "being read"
    for one in sweep.get(half_done).confirming:
        if one.number == 2:
            catalogue.log(one.run, [("test_accuracy", 0.88, 1)])
    tested = {one.label: one.value for one in opened().metric}["Test accuracy of trial 2"]
    assert tested == "88.00 ± 0.00 %"


def test_nobody_changes_anothers_sweep(half_done: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor who does not own it sees it, and no buttons."""
    from core.runs.person import Person
    from ui import people

    monkeypatch.setattr(people, "me", lambda: Person("Ann", "a-tag"))
    monkeypatch.setattr(people, "admit", lambda: None)
    page = opened()
    assert "3 of 5 trials done" in texts(page)
    assert "sweep-pause" not in {button.key for button in page.button}
    found: Any = {button.key for button in page.button}
    assert "sweep-start" in found

"""The limits of a public demo."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.config import TrainConfig
from core.data import mnist
from core.errors import RunError
from core.experiments import definition
from core.experiments import request as experiments
from core.jobs import limits, process, queue, request
from core.recipes import RECIPES
from core.runs import catalogue
from core.runs.person import OWNER, Person
from core.runs.run import State

CONFIG = TrainConfig(epochs=limits.EPOCHS)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public demo."""
    monkeypatch.setenv("DIGITLAB_DEMO", "1")


def visitor(number: int) -> Person:
    """A visitor without a name."""
    return Person("visitor", f"{number:032x}")


def ask(config: TrainConfig, by: Person, data: str = "sample") -> str:
    """Queue a run as a visitor; return the error message, if any."""
    try:
        request.enqueue(config, data, by=by)
    except RunError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("config", "data", "told"),
    [
        (CONFIG, "sample", ""),
        (CONFIG.changed({"epochs": limits.EPOCHS + 1}), "sample", "5 epochs at most, not 6"),
        (RECIPES["fast_990"].config, "sample", ""),  # it asks for more images than the sample has
        (CONFIG, "mnist", "embedded digits alone"),
    ],
)
def test_what_is_too_large_is_refused(
    demo: None, config: TrainConfig, data: str, told: str
) -> None:
    """Epochs and data have a limit, and a run within them is taken."""
    said = ask(config, visitor(1), data)
    assert told in said and bool(said) == bool(told)
    assert len(catalogue.in_progress()) == (not told)


def test_each_visitor_has_one_run_at_a_time(demo: None) -> None:
    """A second one is refused, until the first is over; two seeds at once are refused whole."""
    with pytest.raises(RunError, match="one run or experiment at a time"):
        request.start_seeds(CONFIG, "sample", "", "", [0, 1], visitor(1))
    assert catalogue.in_progress() == [] and ask(CONFIG, visitor(1)) == ""
    assert "one run or experiment at a time" in ask(CONFIG, visitor(1))
    [run] = catalogue.in_progress()
    queue.leave(queue.folder_for(run.config), run.id)  # as its process does at its end
    assert ask(CONFIG, visitor(1)) == ""


def test_five_wait_however_many_press_start_at_once(demo: None) -> None:
    """Of eight, five are accepted, and three get the reason why not."""
    with ThreadPoolExecutor(8) as crowd:
        said = list(crowd.map(lambda number: ask(CONFIG, visitor(number)), range(8)))
    assert sorted(map(bool, said)) == [False] * limits.QUEUE + [True] * 3
    [told] = {text for text in said if text}
    assert told.startswith("5 visitors' trainings") and told.endswith("Try again in a minute.")


def test_experiments_count_among_the_trainings(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor has one or the other; five of either fill the queue; joining one takes no place."""
    monkeypatch.setattr(process, "launch", lambda *_, **__: None)
    first, second = definition.library()[0][:2]
    name = experiments.start(first, visitor(1))
    assert "one run or experiment" in ask(CONFIG, visitor(1))
    with pytest.raises(RunError, match="one run or experiment"):
        experiments.start(second, visitor(1))
    for number in range(2, limits.QUEUE + 1):
        assert ask(CONFIG, visitor(number)) == ""
    with pytest.raises(RunError, match="under way or wait"):
        experiments.start(second, visitor(9))
    assert experiments.start(first, visitor(9)) == name


def test_experiments_have_no_more_time_than_runs(
    demo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a demo the shorter limit counts, elsewhere their own."""
    assert limits.longest(120) == limits.SECONDS
    monkeypatch.delenv("DIGITLAB_DEMO")
    assert limits.longest(120) == 120


def test_others_runs_are_seen_once_they_are_finished(
    demo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor sees each of their own runs, of others' the finished ones, and opens no other."""
    for state in (State.QUEUED, State.RUNNING, State.FINISHED, State.STOPPED):
        run = catalogue.create(CONFIG, "sample", name=f"is {state}", by=visitor(1))
        catalogue.set_tags(run.id, {"alive_until": str(time.time() + 600)})
        for step in (State.RUNNING, state) if state.is_over else (state,):
            catalogue.move(run.id, step)
    every = catalogue.listed()
    assert len(limits.seen(visitor(1), every)) == len(every) == 4
    assert [run.name for run in limits.seen(visitor(2), every)] == ["is finished"]
    for run in every:
        if run.state is State.FINISHED:
            assert limits.get(visitor(2), run.id) == run
        else:
            with pytest.raises(RunError, match="another visitor's"):
                limits.get(visitor(2), run.id)
    monkeypatch.delenv("DIGITLAB_DEMO")
    assert len(limits.seen(visitor(2), every)) == 4


def test_training_is_told_to_stop_when_its_time_is_up(
    demo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the seconds of a demo, and not where training ended before, or outside a demo."""
    stopping = threading.Event()
    with limits.deadline(stopping, 0.05):
        assert stopping.wait(10)
    stopping.clear()
    with limits.deadline(stopping, 0.2):
        pass
    monkeypatch.delenv("DIGITLAB_DEMO")
    with limits.deadline(stopping, 0.05):
        assert not stopping.wait(0.5)


def test_demo_uses_the_embedded_digits(demo: None, full_data: object) -> None:
    """Where the full MNIST lies, a demo has the sample all the same."""
    assert mnist.source() == "sample"


def test_owner_has_no_limits(demo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in a demo, nor anybody outside of one."""
    large = CONFIG.changed({"epochs": 50})
    assert ask(large, OWNER) == ""
    monkeypatch.delenv("DIGITLAB_DEMO")
    assert ask(large, visitor(1)) == ask(large, visitor(1)) == ""

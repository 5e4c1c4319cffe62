"""What people can do to sweeps, and who may."""

from typing import Any

import pytest

from core.errors import ConfigError, SweepError
from core.runs import catalogue
from core.runs.person import OWNER, Person
from core.runs.run import State
from core.sweeps import control, settlement, storage, sweep, worker
from core.sweeps.space import Range


def test_a_plan_survives_being_recorded(start: Any) -> None:
    """A sweep is read back as it was started, except for the device, which each worker chooses."""
    started = start(vary={"learning_rate": "0.001:0.1:log", "optimizer": "sgd,adam"}, minutes=2.5)
    assert sweep.get("search") == started
    assert started.plan.space["learning_rate"] == Range(0.001, 0.1, log=True)
    assert (started.plan.trials, started.plan.minutes, started.state) == (3, 2.5, "waiting")
    assert [one.name for one in sweep.listed()] == ["search"]


def test_names_are_taken_once(start: Any) -> None:
    """A second sweep of one name is refused, and an unknown one says which there are."""
    start()
    with pytest.raises(SweepError, match="called search already"):
        start()
    with pytest.raises(SweepError, match="There are search"):
        sweep.get("nothing")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trials": None}, "needs an end"),
        ({"trials": 0}, "1 to 10,000 trials"),
        ({"minutes": -1}, "some minutes"),
        ({"sampler": "best"}, "sampler must be one of"),
        ({"name": ""}, "needs a name"),
        ({"vary": {"train_size": "100:4000"}}, "There are 3,900 images to learn from"),
        ({"vary": {"train_size": "100,0,3901"}}, "vary up to 3900"),
    ],
)
def test_impossible_plans_are_refused(start: Any, changes: dict[str, Any], said: str) -> None:
    """A sweep that could not run, or would never end, does not start."""
    with pytest.raises((ConfigError, SweepError), match=said):
        start(**changes)
    assert sweep.listed() == []


def test_grids_have_an_end_and_a_limit(start: Any) -> None:
    """A grid's budget is its size; one too large to hold is refused."""
    grid = {"epochs": "1:3", "optimizer": "sgd,adam"}
    assert start(vary=grid, sampler="grid", trials=None).plan.trials == 6
    large = dict.fromkeys(("dropout", "scale", "aspect", "ema", "momentum", "mean"), "0:0.5")
    with pytest.raises(ConfigError, match="15,625 combinations"):
        start("large", vary=large, sampler="grid")


def test_budget_and_bounds_change_while_it_runs(start: Any) -> None:
    """More trials are added to those that exist; new bounds replace only the old bounds."""
    start(vary={"learning_rate": "0.001:0.1:log", "optimizer": "sgd,adam"})
    assert control.more("search", 4, OWNER).plan.trials == 7
    changed = control.bounds("search", {"learning_rate": "0.01:0.05"}, OWNER).plan.space
    assert {field: str(one) for field, one in changed.items()} == {
        "learning_rate": "0.01:0.05",
        "optimizer": "sgd,adam",
    }
    with pytest.raises(SweepError, match="does not vary epochs"):
        control.bounds("search", {"epochs": "1:3"}, OWNER)


def test_bounds_cannot_go_beyond_the_images_there_are(start: Any) -> None:
    """Trials with more would only repeat those with all."""
    start(vary={"train_size": "100:1000:log"})
    with pytest.raises(ConfigError, match="There are 3,900 images to learn from"):
        control.bounds("search", {"train_size": "100:5000:log"}, OWNER)


def test_only_the_owner_changes_a_sweep(start: Any) -> None:
    """Another visitor can neither pause nor widen it; the machine's owner can."""
    start()
    with pytest.raises(SweepError, match="belongs to"):
        control.pause("search", Person("Ann", "a-tag"))
    assert control.pause("search", OWNER).state == "paused"
    assert control.resume("search", OWNER).state == "waiting"


def test_a_sweep_is_deleted_by_its_owner_when_no_worker_is_at_it(start: Any) -> None:
    """A stranger cannot delete it, nor anybody while a trial runs; its runs stay."""
    start()
    claimed = worker.claim("search")
    assert claimed
    with pytest.raises(SweepError, match="belongs to"):
        control.delete("search", Person("Ann", "a-tag"))
    with pytest.raises(SweepError, match="are running"):
        control.delete("search", OWNER)
    catalogue.move(claimed[1].id, State.FAILED, "the training process died")
    worker.claim("search")  # which tells the study of it, and takes it up again
    [again] = catalogue.in_progress()
    catalogue.move(again.id, State.STOPPED)
    with storage.locked(), storage.opened("search") as study:
        settlement.settle(study)
    control.delete("search", OWNER)
    assert sweep.listed() == [] and len(catalogue.listed()) == 2

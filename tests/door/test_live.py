"""Watchers get a run's progress, and many watchers cause no more reads of the store than one."""

import asyncio
import math
import time
from typing import Any

import pytest

from core.config import TrainConfig
from core.runs import actions, catalogue
from core.runs.person import OWNER, Person, tag_for
from core.runs.run import Run, State
from door import live


@pytest.fixture
def run() -> Run:
    """A run of 2 epochs of 50 steps in the store, with its first ten steps' points."""
    run = catalogue.create(TrainConfig(epochs=2, batch_size=100), "sample", name="watched")
    catalogue.set_tags(run.id, {"state": State.RUNNING, "steps": "100"})
    step(run, 5)
    step(run, 10)
    return run


def step(run: Run, number: int) -> None:
    """Write the points of a step, as the recorder does."""
    values = {"loss": 1 / number, "accuracy": 0.5, "learning_rate": 0.01, "images_per_second": 450}
    points = [(f"step/{key}", value, number) for key, value in values.items()]
    catalogue.log(run.id, [*points, ("progress", number, number)])


def epoch(run: Run, number: int, **values: float) -> None:
    """Write the points of an epoch, as the recorder does."""
    points = [(f"epoch/{key}", value, number) for key, value in values.items()]
    catalogue.log(run.id, [*points, ("epochs", number, number)])


def test_run_in_progress(client: Any, run: Run) -> None:
    """A watcher gets the state, the progress, the time left, and every point."""
    answer = client.get(f"runs/{run.id}/live")
    assert answer.status == 200
    told = answer.json
    points, again = told.pop("points"), told.pop("again")
    assert again == 2  # a tenth of the time left
    assert told == {
        "run": run.id,
        "state": "running",
        "reason": "",
        "progress": 0.1,
        "step": 10,
        "steps": 100,
        "epoch": 1,
        "epochs": 2,
        "images_per_second": 450,
        "seconds_left": 20,
        "epoch_points": [],
    }
    assert points == [
        {"step": 5, "epoch": 0.1, "loss": 0.2, "accuracy": 0.5, "learning_rate": 0.01},
        {"step": 10, "epoch": 0.2, "loss": 0.1, "accuracy": 0.5, "learning_rate": 0.01},
    ]


@pytest.mark.parametrize(("after", "steps"), [(0, [5, 10]), (5, [10]), (7, [10]), (10, [])])
def test_only_points_after_a_step(client: Any, run: Run, after: int, steps: list[int]) -> None:
    """A watcher that has some points already gets those that came after."""
    told = client.get(f"runs/{run.id}/live?after={after}").json
    assert [point["step"] for point in told["points"]] == steps


def test_new_points_come(client: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points, epochs and the end of a run come as they are written."""
    monkeypatch.setattr(live, "_EVERY", 0)
    monkeypatch.setattr(live, "_SHARE", math.inf)
    address = f"runs/{run.id}/live"
    assert client.get(address).json["step"] == 10
    step(run, 50)
    told = client.get(f"{address}?after=10").json
    assert [point["step"] for point in told["points"]] == [50]
    epoch(run, 1, train_loss=0.5, validation_accuracy=0.9, seconds=3)
    [point] = client.get(f"{address}?after=50").json["epoch_points"]
    assert (point["epoch"], point["validation_accuracy"], point["validation_loss"]) == (
        1,
        0.9,
        None,
    )
    catalogue.set_tags(run.id, {"state": State.STOPPED, "reason": "stopped by hand"})
    told = client.get(f"{address}?after=50").json
    assert (told["state"], told["reason"], told["seconds_left"]) == (
        *("stopped", "stopped by hand", None),
    )


def test_half_a_step_is_kept_back(client: Any, run: Run) -> None:
    """A step that is only partly in the store is sent later, complete."""
    catalogue.log(run.id, [("step/loss", 0.05, 15)])
    assert [p["step"] for p in client.get(f"runs/{run.id}/live").json["points"]] == [5, 10]


def test_store_is_asked_once_for_many(
    client: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty watchers within a second cost one look at the store."""
    looks = []
    get = catalogue.get
    monkeypatch.setattr(catalogue, "get", lambda run_id: looks.append(run_id) or get(run_id))

    async def crowd() -> list[Any]:
        address = f"runs/{run.id}/live"
        requests = [client.request("GET", address, address=f"192.0.2.{i}") for i in range(50)]
        return await asyncio.gather(*requests)

    monkeypatch.setattr(live, "_EVERY", 60)
    answers = client.runner.run(crowd()) + client.runner.run(crowd())
    told = [{**answer.json, "again": None} for answer in answers]
    assert all(one == told[0] for one in told)
    assert looks == [run.id]


def test_many_watchers_are_told_to_ask_less_often(client: Any, run: Run) -> None:
    """All together send four requests a second, unless there are very many."""

    async def crowd(count: int) -> list[float]:
        address = f"runs/{run.id}/live"
        requests = [client.request("GET", address, address=f"192.0.2.{i}") for i in range(count)]
        return sorted(answer.json["again"] for answer in await asyncio.gather(*requests))

    pauses = client.runner.run(crowd(20))
    assert pauses[0] == 2
    assert 4 < pauses[-1] <= 5
    assert max(client.runner.run(crowd(60))) == 15


def test_a_long_run_is_asked_for_less_often(client: Any, run: Run) -> None:
    """Every three seconds at most: a second later makes no difference to who waits for minutes."""
    assert client.get(f"runs/{run.id}/live").json["again"] == 2  # 20 s are left
    long = catalogue.create(TrainConfig(epochs=200, batch_size=100), "sample")
    catalogue.set_tags(long.id, {"state": State.RUNNING, "steps": "10000"})
    step(long, 5)
    step(long, 10)
    assert client.get(f"runs/{long.id}/live").json["again"] == 3


def test_points_that_are_known_are_not_read_again(
    client: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at a run that has got no further reads no points."""
    reads = []
    read = live.read_history
    monkeypatch.setattr(live, "_EVERY", 0)
    monkeypatch.setattr(live, "_SHARE", math.inf)
    monkeypatch.setattr(live, "read_history", lambda run: reads.append(run.step) or read(run))
    first = client.get(f"runs/{run.id}/live").body
    assert client.get(f"runs/{run.id}/live").body == first
    step(run, 20)
    client.get(f"runs/{run.id}/live")
    assert reads == [10, 20]


def test_run_that_begins_is_looked_at_more_often(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there are two points, a line; one in the queue may wait for minutes."""
    monkeypatch.setattr(live, "_SHARE", math.inf)

    def pause(looked_at: Run) -> float:
        begun = time.monotonic()
        return live._read(looked_at.id, None).again - begun

    assert pause(run) >= 1
    fresh = catalogue.create(TrainConfig(), "sample")
    assert pause(fresh) >= 1
    catalogue.set_tags(fresh.id, {"state": State.RUNNING})
    assert pause(fresh) < 0.5
    step(fresh, 1)
    assert pause(fresh) < 0.5
    step(fresh, 5)
    assert pause(fresh) >= 1


def test_slow_store_is_asked_less_often(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a look takes half a second, ten go by before the next."""
    read = live.read_history
    monkeypatch.setattr(live, "read_history", lambda run: time.sleep(0.5) or read(run))
    begun = time.monotonic()
    assert live._read(run.id, None).again - begun >= 10


def test_runs_kept_are_bounded(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limited number of runs is remembered, whatever ids are requested."""
    monkeypatch.setattr(live, "_RUNS", 3)
    watching = live.Watching()

    async def ask() -> None:
        for number in range(10):
            with pytest.raises(Exception, match="no such run"):
                await watching._course(f"{number:032x}")

    client.runner.run(ask())
    assert len(watching._looks) == 3


def test_builtin_network_is_over(client: Any) -> None:
    """The built-in network has epochs, but no points by step."""
    told = client.get("runs/built-in/live").json
    assert (told["state"], told["progress"], told["points"]) == ("finished", 1, [])
    assert len(told["epoch_points"]) == told["epochs"]


@pytest.mark.parametrize("run_id", ["f" * 32, "nobody", "watched", "F" * 32, "..%2f..", "f" * 9000])
def test_unknown_run_is_not_found(client: Any, run: Run, run_id: str) -> None:
    """A run that is not there is 404, with a short sentence."""
    answer = client.get(f"runs/{run_id}/live")
    assert answer.status == 404
    assert answer.error.startswith("There is no") and len(answer.error) < 200


def test_deleted_run_is_not_found(client: Any, run: Run) -> None:
    """A run that somebody deleted is 404."""
    catalogue.set_tags(run.id, {"state": State.STOPPED})
    actions.delete(OWNER, run)
    assert client.get(f"runs/{run.id}/live").status == 404


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "2147483648", "9" * 500, "%D9%A3"])
def test_step_must_be_a_step(client: Any, run: Run, after: str) -> None:
    """An invalid step is 400, and named in the message."""
    answer = client.get(f"runs/{run.id}/live?after={after}")
    assert answer.status == 400
    assert answer.error.startswith("after must be a step") and len(answer.error) < 200


def test_failing_store_has_the_pages_sentence(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the team's store does not answer, the status is 503, with the pages' message."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:9")
    answer = client.get(f"runs/{'f' * 32}/live")
    assert answer.status == 503
    assert "does not answer" in answer.error


def test_watching_too_fast_is_refused(client: Any) -> None:
    """A watcher that asks without a pause is refused for a while."""
    statuses = {client.get("runs/nobody/live").status for _ in range(200)}
    assert statuses == {404, 429}


def test_strangers_run_is_seen_once_it_has_finished(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a demo the owner's cookie opens a run in progress; elsewhere no cookie is needed."""
    secret = "s" * 43
    run = catalogue.create(TrainConfig(), "sample", by=Person("visitor", tag_for(secret)))
    address, own = f"runs/{run.id}/live", {"cookie": f"digitlab={secret}.visitor"}
    assert client.get(address).status == 200
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    assert client.get(address, headers=own).status == 200
    for headers in ({}, {"cookie": f"digitlab={'t' * 43}.visitor"}, {"cookie": "digitlab=x"}):
        refused = client.get(address, headers=headers)
        assert refused.status == 404 and "another visitor's" in refused.error
    finished = catalogue.create(TrainConfig(), "sample", by=Person("visitor", tag_for(secret)))
    catalogue.move(finished.id, State.RUNNING)
    catalogue.move(finished.id, State.FINISHED)
    assert client.get(f"runs/{finished.id}/live").json["state"] == "finished"

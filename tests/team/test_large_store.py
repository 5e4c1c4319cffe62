"""A team's store with a thousand runs."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from benchmarks.team_server import copies
from core.config import TrainConfig
from core.runs import catalogue, listing
from core.runs.run import Run, State
from tests.team.conftest import Member, Server

COUNT = 1_000


@pytest.fixture
def thousand(team: Server) -> Run:
    """A store with a thousand finished runs, and one more, the newest, which is returned."""
    run = finished("the newest")
    team.database(copies(COUNT))
    listing._known.clear()
    return run


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """A function that returns the number of bytes received from the server since its last call."""
    sizes: list[int] = []
    send = requests.Session.send

    def measured(self: requests.Session, *request: Any, **how: Any) -> requests.Response:
        response = send(self, *request, **how)
        sizes.append(len(response.content))
        return response

    def count() -> int:
        total = sum(sizes)
        sizes.clear()
        return total

    monkeypatch.setattr(requests.Session, "send", measured)
    return count


def finished(name: str) -> Run:
    """Enter a run that has finished after three epochs."""
    run = catalogue.create(TrainConfig(epochs=3), "sample", "fast_cnn", name)
    names = [f"step/{n}" for n in ("loss", "accuracy", "learning_rate", "images_per_second")]
    names += [f"epoch/{n}" for n in ("train_loss", "validation_accuracy", "seconds")]
    points = [(name, 0.5, step) for name in names for step in (1, 2, 3)]
    ends = {"epochs": 3.0, "best_epoch": 3.0, "best_validation_accuracy": 0.85}
    catalogue.log(run.id, points + [(name, value, 3) for name, value in ends.items()])
    catalogue.move(run.id, State.RUNNING)
    catalogue.move(run.id, State.FINISHED)
    return catalogue.get(run.id)


def test_the_newest_runs_are_there_at_once_and_the_others_follow(thousand: Run) -> None:
    """The first look has a page of runs, the newest first; soon all are known, in order."""
    found, complete = catalogue.known()
    assert found[0] == thousand and len(found) >= 50 and not complete
    end = time.monotonic() + 60
    while not complete and time.monotonic() < end:
        time.sleep(0.2)
        found, complete = catalogue.known()
    assert complete
    older = [f"fast_cnn-{n}" for n in range(COUNT, 0, -1)]
    assert [run.name for run in found] == ["the newest", *older]


def test_once_all_are_known_only_what_has_changed_is_asked_for(
    thousand: Run, team: Server, member: Member, received: Callable[[], int]
) -> None:
    """A colleague's rename, note, new run and deletion are seen, and little else is sent."""
    every = catalogue.listed()
    reading_all = received()
    assert len(every) == COUNT + 1
    code = (
        "from core.runs import actions, catalogue; from core.runs.person import OWNER;"
        "from core.config import TrainConfig;"
        f"a, b = catalogue.get({every[10].id!r}), catalogue.get({every[20].id!r});"
        "actions.rename(OWNER, a, 'renamed'); actions.delete(OWNER, b);"
        "catalogue.create(TrainConfig(), 'sample', 'fast_cnn')"
    )
    process = member("anna", "-c", code)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    received()
    now = catalogue.listed()
    assert 0 < received() < reading_all / 100
    names = {run.id: run.name for run in now}
    assert names[every[10].id] == "renamed" and every[20].id not in names
    assert now[0].name == "fast_cnn-1001" and len(now) == COUNT + 1


def test_a_run_is_numbered_and_found_without_reading_all(
    thousand: Run, received: Callable[[], int]
) -> None:
    """A new run's number, `latest`, `best` and an id together take a tenth of what all runs do."""
    new = catalogue.create(TrainConfig(), "sample", "fast_cnn")
    assert new.name == "fast_cnn-1001"
    assert catalogue.find("latest") == catalogue.find(new.id) == catalogue.get(new.id)
    best = catalogue.find("best")
    found = received()
    assert best.name == "fast_cnn-1000"
    assert best == catalogue.best(catalogue.listed())
    assert 0 < found < received() / 10

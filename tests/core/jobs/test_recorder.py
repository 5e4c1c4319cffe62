"""The order in which a run's metrics and states reach the store."""

import pytest

from core.config import TrainConfig
from core.jobs.recorder import Recorder
from core.runs import catalogue
from core.runs.run import State


def test_a_run_begins_before_its_points_and_ends_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two writes, no queued run has points, and no ended run gets more."""
    run = catalogue.create(TrainConfig(), "sample")
    log, seen = catalogue.log, []

    def looked_at(*arguments: object) -> None:
        seen.append(catalogue.get(run.id).state)
        log(*arguments)

    monkeypatch.setattr(catalogue, "log", looked_at)
    recorder = Recorder(run.id)
    recorder.tags({"state": State.RUNNING, "reason": ""})
    recorder.metrics({"epochs": 1}, 1)
    recorder._flush({})
    recorder.metrics({"epochs": 2}, 2)
    recorder.end(State.FINISHED, "")
    recorder._flush({})
    assert seen == [State.RUNNING, State.RUNNING]
    done = catalogue.get(run.id)
    assert (done.state, done.epochs) == (State.FINISHED, 2)

"""The order in which a run's metrics and states reach the store."""

import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from core.config import TrainConfig
from core.jobs.recorder import Recorder
from core.runs import actions, catalogue, history
from core.runs.person import OWNER
from core.runs.run import State
from core.training.events import Step


def test_a_run_begins_before_its_points_and_ends_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between two writes, no queued run has points, and no ended run gets more."""
    run = catalogue.create(TrainConfig(), "sample")
    write, seen = MlflowClient.log_batch, []

    def looked_at(client: MlflowClient, run_id: str, metrics: list[Metric], **how: Any) -> None:
        if any(metric.key == "epochs" for metric in metrics):
            seen.append(catalogue.get(run.id).state)
        write(client, run_id, metrics, **how)

    monkeypatch.setattr(MlflowClient, "log_batch", looked_at)
    recorder = Recorder(run)
    recorder.tags({"state": State.RUNNING, "reason": ""})
    recorder.metrics({"epochs": 1}, 1)
    recorder._flush({})
    recorder.metrics({"epochs": 2}, 2)
    recorder.end(State.FINISHED, "")
    recorder._flush({})
    assert seen == [State.RUNNING, State.RUNNING]
    done = catalogue.get(run.id)
    assert (done.state, done.epochs) == (State.FINISHED, 2)


def test_the_first_two_points_are_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that waits for a line waits no longer than for a point; later ones may take longer."""
    monkeypatch.setattr("core.jobs.recorder._FLUSH", 600.0)
    run = catalogue.create(TrainConfig(), "sample")
    recorder = Recorder(run)
    recorder.start()
    recorder.tags({"state": State.RUNNING, "reason": ""})
    for step in (1, 5):
        recorder.step(Step(step, loss=2.3, accuracy=0.1, learning_rate=0.01, images_per_second=9.0))
        deadline = time.monotonic() + 60
        while catalogue.get(run.id).step < step:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    recorder.end(State.STOPPED, "")
    recorder.close()


def test_a_watched_run_is_not_read_whole_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its points come with the run itself; at the end, no listing has to read them."""
    run = catalogue.create(TrainConfig(epochs=2), "sample")
    recorder = Recorder(run)
    recorder.tags({"state": State.RUNNING, "reason": "", "steps": "20"})
    reads = []
    read = history._read
    monkeypatch.setattr(history, "_read", lambda run: reads.append(run.step) or read(run))

    def watched(steps: range) -> list[int]:
        for step in steps:
            recorder.step(
                Step(step, loss=1 / step, accuracy=0.5, learning_rate=0.01, images_per_second=9.0)
            )
        recorder._flush({})
        return list(history.read_history(catalogue.get(run.id)).steps["step"])

    assert [watched(range(1, 6)), watched(range(6, 11))] == [[*range(1, 6)], [*range(1, 11)]]
    assert reads == []
    recorder.end(State.FINISHED, "")
    recorder._flush({})
    ended = catalogue.get(run.id)
    assert ended.recent == ""
    assert history.read_history(ended).steps["loss"].tolist() == [1 / n for n in range(1, 11)]
    assert reads == [10]


def test_a_stop_on_this_machine_needs_no_look_into_the_teams_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is seen between two writes, which are far apart there."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/team.db")
    monkeypatch.setattr("core.jobs.recorder._TEAM_FLUSH", 600.0)
    run = catalogue.create(TrainConfig(), "sample")
    recorder = Recorder(run)
    recorder.start()
    actions.request_stop(OWNER, run)
    assert recorder.stopping.wait(60)
    recorder.close()

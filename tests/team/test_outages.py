"""A server that hangs while a run trains."""

import logging

import pytest

from core.config import TrainConfig
from core.errors import StoreError
from core.jobs import recorder
from core.runs import catalogue, store
from core.runs.history import read_history
from core.runs.run import State
from tests.team.conftest import Server


def test_a_run_loses_nothing_while_the_server_hangs(
    team: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A page says that the store does not answer; the run's points get there afterwards, once."""
    monkeypatch.setattr(recorder, "_TEAM_FLUSH", 0.2)
    monkeypatch.setattr(store, "_RETRY_AFTER", 0.5)
    run = catalogue.create(TrainConfig(epochs=4), "sample", name="hers")
    writer = recorder.Recorder(run)
    writer.tags({"state": State.RUNNING, "reason": ""})
    writer.start()
    writer.metrics({"epoch/validation_accuracy": 0.1, "epochs": 1}, 1)
    monkeypatch.setenv(store.TIMEOUT, "1")
    team.pause()
    try:
        with pytest.raises(StoreError, match="does not answer"), caplog.at_level(logging.WARNING):
            while True:  # until the pause is noticed
                catalogue.get(run.id)
        writer.metrics({"epoch/validation_accuracy": 0.2, "epochs": 2}, 2)
    finally:
        team.go_on()
    monkeypatch.setenv(store.TIMEOUT, "20")
    writer.metrics({"epoch/validation_accuracy": 0.3, "epochs": 3}, 3)
    writer.end(State.FINISHED, "")
    writer.close()
    done = catalogue.get(run.id)
    assert (done.state, done.epochs) == (State.FINISHED, 3)
    assert read_history(done).epochs["validation_accuracy"].tolist() == [0.1, 0.2, 0.3]

"""Runs of the embedded store, moved into a team's store; here that is a database in a file."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from pandas.testing import assert_frame_equal

from core.config import TrainConfig
from core.errors import RunError, StoreError
from core.runs import actions, catalogue, files, move, store
from core.runs.history import read_history
from core.runs.move import Moved, Outcome
from core.runs.person import OWNER, Person
from core.runs.run import Run, State
from core.runs.store import connect

ANNA = Person("Anna", "a" * 32)
SETTINGS = TrainConfig(network="mlp", epochs=3)


def trained(name: str, state: State = State.FINISHED, parent: Run | None = None) -> Run:
    """Enter a run of Anna's in this state, with everything that a run can have."""
    run = catalogue.create(SETTINGS, "sample", "mlp", name, parent, by=ANNA)
    catalogue.set_tags(run.id, {"steps": "6", "versions": json.dumps({"torch": "2.14"})})
    points = [("step/loss", loss, step) for step, loss in enumerate((2.0, math.nan, 1.0), 1)]
    points += [("epoch/validation_accuracy", 0.8 + epoch / 100, epoch) for epoch in (1, 2, 3)]
    ends = {"progress": 6, "epochs": 3, "best_validation_accuracy": 0.83, "test_accuracy": 0.82}
    catalogue.log(run.id, points + [(key, value, 3) for key, value in ends.items()])
    actions.note(ANNA, run, "twice the <b>width</b>")
    (run.folder / files.BEST).write_bytes(f"weights of {name}".encode())
    catalogue.move(run.id, State.RUNNING)
    catalogue.move(run.id, state, "why")
    return catalogue.get(run.id)


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a team's store that is not in use yet."""
    monkeypatch.chdir(tmp_path)  # MLflow keeps the files of such a store below it
    return f"sqlite:///{tmp_path}/team.db"


def test_a_moved_run_is_the_same_run_under_another_id(
    team: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Author, owner, times, state, note, settings, every point and the files are those it had."""
    run = trained("anna's")
    before = read_history(run)
    with connect() as (client, _):
        old = client.get_run(run.id)
        times = [point.timestamp for point in client.get_metric_history(run.id, "step/loss")]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    (moved,) = move.everything()
    copy = catalogue.get(moved.new_id)
    assert moved == Moved(run, copy.id, Outcome.MOVED)
    assert copy.id != run.id and replace(copy, id=run.id, kept={}) == run
    assert (copy.author, copy.owner, copy.reason) == ("Anna", ANNA.tag, "why")
    after = read_history(copy)
    assert_frame_equal(after.steps, before.steps)
    assert_frame_equal(after.epochs, before.epochs)
    assert files.path(copy, files.BEST).read_bytes() == b"weights of anna's"
    with connect() as (client, _):
        new = client.get_run(copy.id)
        assert [p.timestamp for p in client.get_metric_history(copy.id, "step/loss")] == times
    assert (new.data.params, new.info.status) == (old.data.params, "FINISHED")
    assert new.info.end_time in range(times[-1], times[-1] + 1_000)


def test_a_second_move_copies_only_what_is_new(team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second move copies only new runs; the embedded store has lost nothing."""
    first = trained("first")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    (moved,) = move.everything()
    actions.rename(OWNER, catalogue.get(moved.new_id), "renamed by a colleague")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    second = trained("second")
    assert catalogue.listed() == [second, first]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    again = list(move.everything())
    assert again[0] == Moved(first, moved.new_id, Outcome.THERE)
    assert [one.outcome for one in again] == [Outcome.THERE, Outcome.MOVED]
    assert {run.name for run in catalogue.listed()} == {"renamed by a colleague", "second"}
    assert len(catalogue.listed()) == 2


def test_runs_in_progress_are_left_and_dead_ones_arrive_as_failed(
    team: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run whose process lives stays; one whose process died arrives as failed, in MLflow too."""
    alive, dead = (catalogue.create(SETTINGS, "sample", name=name) for name in ("alive", "dead"))
    for run in (alive, dead):
        catalogue.move(run.id, State.RUNNING)
    catalogue.forfeit(dead.id)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    done = list(move.everything())
    assert [(one.run.name, one.outcome) for one in done] == [
        ("alive", Outcome.LEFT),
        ("dead", Outcome.MOVED),
    ]
    assert "in progress: alive. Move again" in move.summary(done)
    (copy,) = catalogue.listed()
    assert (copy.state, copy.reason) == (State.FAILED, "the training process died")
    with connect() as (client, _):
        assert client.get_run(copy.id).info.status == "FAILED"


def test_a_taught_run_still_knows_its_parent(team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent's new id is found, also where the parent was moved before."""
    parent = trained("parent")
    trained("child", parent=parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    first, second = move.everything()
    assert catalogue.get(second.new_id).taught_from == first.new_id
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    trained("grandchild", parent=parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    *_, third = move.everything()
    assert catalogue.get(third.new_id).taught_from == first.new_id


def test_an_interrupted_move_goes_on_where_it_was(
    team: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A partly moved run is not shown; the next move completes it, without a copy."""
    run = trained("whole")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    assert catalogue.listed() == []
    hindrance = tmp_path / "mlruns"
    hindrance.write_text("a file where the store's folder of files should be")
    with pytest.raises(StoreError):
        list(move.everything())
    with connect() as (client, experiment):
        (half,) = client.search_runs([experiment])
    assert catalogue.listed() == []
    hindrance.unlink()
    (moved,) = move.everything()
    assert moved.new_id == half.info.run_id
    assert replace(catalogue.get(moved.new_id), id=run.id, kept={}) == run
    with connect() as (client, experiment):
        assert len(client.search_runs([experiment])) == 1
        assert len(client.get_metric_history(moved.new_id, "step/loss")) == 3


def test_two_moves_at_once_are_refused(team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The move would copy every run twice."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    with (
        FileLock(store.directory() / "move.lock"),
        pytest.raises(RunError, match="Another process is moving these runs"),
    ):
        list(move.everything())


def test_nowhere_to_move_to_or_from_says_what_to_set(
    team: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No team's store, the embedded one under another address, and a folder without a store."""
    trained("one")
    with pytest.raises(StoreError, match="Set MLFLOW_TRACKING_URI to its address"):
        list(move.everything())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store.directory()}/store.db")
    with pytest.raises(StoreError, match="the embedded store itself"):
        list(move.everything())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "nothing"))
    with pytest.raises(StoreError, match="Set DIGITLAB_RUNS to the folder that holds one"):
        list(move.everything())


@pytest.mark.slow
def test_the_command_prints_a_line_for_each_run(team: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON with the old and the new id, and the sum in words on stderr."""
    run = trained("one")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # it runs beside the store
    told = subprocess.run(
        [sys.executable, "-m", "core", "move"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    (copy,) = catalogue.listed()
    assert json.loads(told.stdout) == {
        "run": copy.id,
        "name": "one",
        "from": run.id,
        "outcome": "moved",
    }
    assert "Moved: 1; there already: 0." in told.stderr

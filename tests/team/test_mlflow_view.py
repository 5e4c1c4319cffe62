"""What an MLflow user sees of our runs in MLflow itself."""

import json
import subprocess
import time

import pandas as pd
import pytest

from core.config import TrainConfig
from core.runs import catalogue, files, history, mlflow_view
from core.runs.run import State
from tests.team.conftest import MLFLOW, Member, Server


def test_a_run_has_status_duration_source_and_data(member: Member, team: Server) -> None:
    """MLflow's own tables have them, beside the parameters and metrics."""
    settings = ("network=mlp", "epochs=1", "train_size=500", "validation_size=100")
    anna = member("anna", "-m", "core", "train", "--name", "hers", "--set", *settings)
    told, errors = anna.communicate(timeout=90)
    assert anna.returncode == 0, errors
    assert json.loads(told)["state"] == "finished"  # and MLflow has printed nothing beside it
    run = catalogue.find("hers")
    [row] = team.database("SELECT status, end_time > start_time FROM runs").splitlines()
    assert row == "FINISHED|t"
    [data] = team.database("SELECT name, digest FROM datasets").splitlines()
    assert data == f"Sample, 5,000 digits of MNIST|{run.data_checksum[:36]}"
    used_by = "SELECT destination_id FROM inputs WHERE source_type = 'DATASET'"
    assert team.database(used_by) == run.id
    tags = dict(
        line.split("|", 1)
        for line in team.database(
            "SELECT key, value FROM tags WHERE key LIKE 'mlflow.%'"
        ).splitlines()
    )
    assert tags["mlflow.user"] == "anna" and tags["mlflow.source.name"] == "Digit Lab"
    assert tags["mlflow.source.git.commit"] == run.commit.removesuffix("+")

    deadline = time.monotonic() + 120  # the model follows in a process of its own
    while not (found := list(team.files.rglob("model/MLmodel"))):
        assert time.monotonic() < deadline, (run.folder / files.LOG).read_text()
        time.sleep(0.2)
    code = (
        "import sys, numpy, mlflow; model = mlflow.pyfunc.load_model(sys.argv[1]);"
        "print(model.metadata.signature.inputs, model.metadata.signature.outputs);"
        "[answer] = model.predict(numpy.zeros((3, 28, 28), numpy.float32)).values();"
        "print(answer.shape, answer.sum(axis=1).round(4).tolist())"
    )
    python = MLFLOW.with_name("python")
    told = subprocess.run(
        [python, "-c", code, found[0].parent], capture_output=True, text=True, timeout=120
    )
    assert told.stdout.splitlines()[-1] == "(3, 10) [1.0, 1.0, 1.0]", told.stderr
    assert "(-1, 28, 28)" in told.stdout and "(-1, 10)" in told.stdout


def test_a_dead_run_is_not_running_in_mlflow_until_it_comes_back(team: Server) -> None:
    """Listing the runs in progress records it in MLflow; our own state waits for the process."""
    run = catalogue.create(TrainConfig(), "sample", name="cut off")
    catalogue.move(run.id, State.RUNNING)
    catalogue.renew(run.id)
    catalogue.in_progress()

    def status() -> str:
        return team.database("SELECT status, end_time IS NOT NULL FROM runs")

    assert status() == "RUNNING|f"
    catalogue.forfeit(run.id)
    assert catalogue.in_progress() == [] and status() == "FAILED|t"
    catalogue.renew(run.id)
    mlflow_view.revive(run.id)
    assert [one.id for one in catalogue.in_progress()] == [run.id] and status() == "RUNNING|t"
    catalogue.move(run.id, State.FINISHED)
    assert status() == "FINISHED|t"


def test_the_end_of_a_watched_run_costs_no_history(
    team: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last points come with the state; a run that is over and was not watched is read once."""
    run = catalogue.create(TrainConfig(epochs=1), "sample", name="short")
    read: list[str] = []
    whole = history._read
    monkeypatch.setattr(history, "_read", lambda run: (read.append(run.name), whole(run))[1])

    def log(*steps: int, ended: bool = False) -> None:
        rows = [[step, 0.5, 0.5, 0.1, 100.0] for step in steps]
        points = [
            (f"step/{name}", value, int(row[0]))
            for row in rows
            for name, value in zip(history.STEP_METRICS, row[1:], strict=True)
        ]
        points.append(("progress", steps[-1], steps[-1]))
        catalogue.log(run.id, points, {"recent": history.recent_tag(rows, [], ended)})

    catalogue.move(run.id, State.RUNNING)
    log(1, 2, 3)
    assert len(history.read_history(catalogue.get(run.id)).steps) == 3
    log(2, 3, 4, ended=True)
    catalogue.move(run.id, State.STOPPED)
    ended = catalogue.get(run.id)
    assert list(history.read_history(ended).steps["step"]) == [1, 2, 3, 4] and read == []
    history._followed.clear()
    for _ in range(2):
        assert len(history.read_history(ended).steps) == 4
    assert read == ["short"]
    many = [[step, 0.123456789, 0.5, 0.1, 1e5] for step in range(1_000)]
    assert len(history.recent_tag(many, many, ended=True)) < 2_600


def test_points_are_followed_without_reading_all_again(team: Server) -> None:
    """The points in the tag `recent` equal the store's; after a long pause, all are read."""
    run = catalogue.create(TrainConfig(epochs=40), "sample", name="followed")
    catalogue.move(run.id, State.RUNNING)
    catalogue.set_tags(run.id, {"steps": "400"})
    steps: list[list[float]] = []
    epochs: list[list[float]] = []

    def flush(first: int, last: int, since: int) -> None:
        points: list[tuple[str, float, int]] = []
        for step in range(first, last + 1):
            steps.append([step, 1 / step, 0.5, 0.1, 100.0 + step])
            names = [f"step/{name}" for name in history.STEP_METRICS]
            points += [
                (name, value, step) for name, value in zip(names, steps[-1][1:], strict=True)
            ]
        epoch = last // 10
        epochs.append([epoch, *(epoch / 7 for _ in history.EPOCH_METRICS)])
        names = [f"epoch/{name}" for name in history.EPOCH_METRICS]
        points += [(name, value, epoch) for name, value in zip(names, epochs[-1][1:], strict=True)]
        points += [("progress", last, last), ("epochs", epoch, epoch)]
        kept = [row for row in steps if row[0] > since], epochs[-2:]
        catalogue.log(run.id, points, {"recent": history.recent_tag(*kept)} | catalogue.lease())

    for first, last, since in ((1, 10, 0), (11, 20, 5), (31, 40, 30)):
        flush(first, last, since)
        now = catalogue.get(run.id)
        followed, whole = history.read_history(now), history._read(now)
        for one, other in ((followed.steps, whole.steps), (followed.epochs, whole.epochs)):
            pd.testing.assert_frame_equal(one.astype(float), other.astype(float), rtol=1e-5)

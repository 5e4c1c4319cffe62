"""What an MLflow user sees of our runs in MLflow itself."""

import json
import subprocess
import time

from core.config import TrainConfig
from core.runs import catalogue, files, mlflow_view
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
    """Whoever looks at the runs in progress notes it; our own state waits for its process."""
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


def test_points_are_followed_without_reading_all_again(team: Server) -> None:
    """What the tag `recent` adds is what the store has; between two looks too far apart, all is."""
    from core.runs import history

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
        assert followed.steps.astype(float).equals(whole.steps.astype(float))
        assert followed.epochs.astype(float).equals(whole.epochs.astype(float))

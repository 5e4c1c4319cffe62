"""The run store, on a real embedded one in a folder of its own."""

import json
import time
from pathlib import Path

import pytest

from core.config import TrainConfig
from core.errors import RunError
from core.runs import catalogue, files
from core.runs.history import read_history
from core.runs.run import Run, State


def made(name: str = "", accuracy: float | None = None, data: str = "sample") -> Run:
    """Return a new run; with an accuracy, one that has finished."""
    run = catalogue.create(TrainConfig(network="mlp"), data, "mlp", name)
    if accuracy is not None:
        catalogue.set_tags(run.id, {"state": State.FINISHED})
        catalogue.log(run.id, [("best_validation_accuracy", accuracy, 1), ("best_epoch", 1, 1)])
    return catalogue.get(run.id)


def test_new_run_keeps_what_is_needed_to_repeat_it() -> None:
    """Configuration, data, versions, author and host are there before it starts."""
    run = made()
    assert run.state == State.QUEUED
    assert run.config == TrainConfig(network="mlp")
    assert run.data == "sample" and run.author and run.host


def test_names_are_numbered() -> None:
    """A run without a name gets its recipe's, with the next number."""
    assert [made().name, made().name, made("mine").name] == ["mlp-1", "mlp-2", "mine"]


def test_newest_comes_first() -> None:
    """The list starts with the run that was asked for last."""
    first, second = made(), made()
    assert [run.id for run in catalogue.listed()] == [second.id, first.id]


def test_runs_are_found_by_what_people_say() -> None:
    """An id, its beginning, a name, latest and best all name a run."""
    good, poor = made("good", 0.99), made("poor", 0.9)
    for text in (good.id, good.id[:10], "good", "best"):
        assert catalogue.find(text).id == good.id
    assert catalogue.find("latest").id == poor.id


def test_two_runs_with_one_name_are_told_apart_by_id() -> None:
    """A name that two runs have is answered with both ids, and each id works."""
    first, second = made("twin"), made("twin")
    with pytest.raises(RunError, match="2 runs fit 'twin'") as refusal:
        catalogue.find("twin")
    assert first.id[:12] in str(refusal.value) and second.id[:12] in str(refusal.value)
    assert catalogue.find(first.id).id == first.id


def test_prefix_that_fits_several_runs_is_refused() -> None:
    """Sixteen beginnings and seventeen runs: some letter begins two ids."""
    ids = [made().id for _ in range(17)]
    letters = [run_id[0] for run_id in ids]
    twice = next(letter for letter in letters if letters.count(letter) > 1)
    with pytest.raises(RunError, match="Give more of the id"):
        catalogue.find(twice)


def test_unknown_run_and_empty_store_say_what_to_do() -> None:
    """With no run at all, the message says how to make one; with runs, how to list them."""
    with pytest.raises(RunError, match="python -m core train"):
        catalogue.find("latest")
    made()
    with pytest.raises(RunError, match="python -m core runs"):
        catalogue.find("nobody")
    with pytest.raises(RunError, match="No run has completed"):
        catalogue.find("best")


def test_best_prefers_the_full_set() -> None:
    """A high score on the sample's small validation set does not beat one on the full set."""
    sample, full = made("s", 1.0), made("f", 0.99, data="mnist")
    assert catalogue.best([sample, full]) == full
    assert catalogue.best([made()]) is None


def test_run_whose_process_died_is_failed() -> None:
    """A run that nobody vouches for any more reads as failed, and why."""
    run = made()
    catalogue.set_tags(run.id, {"state": State.RUNNING, "alive_until": str(time.time() - 1)})
    dead = catalogue.get(run.id)
    assert (dead.state, dead.reason) == (State.FAILED, "the training process died")
    assert catalogue.in_progress() == []
    catalogue.renew(run.id)
    assert catalogue.get(run.id).state == State.RUNNING
    assert [other.id for other in catalogue.in_progress()] == [run.id]


def test_history_has_steps_and_epochs() -> None:
    """Metrics come back as two tables, the epoch of each step included."""
    run = made()
    catalogue.set_tags(run.id, {"steps": "40"})
    catalogue.log(run.id, [("step/loss", 2.0, 10), ("step/loss", 1.0, 20)])
    catalogue.log(run.id, [("epoch/validation_accuracy", 0.9, 1)])
    history = read_history(catalogue.get(run.id))
    assert history.steps["loss"].tolist() == [2.0, 1.0]
    assert history.steps["epoch"].tolist() == [1.0, 2.0]  # mlp's default of 4 epochs in 40 steps
    assert history.epochs["validation_accuracy"].tolist() == [0.9]


def test_more_metrics_than_mlflow_takes_at_once_are_all_kept() -> None:
    """2,500 points in one call come back as 2,500."""
    run = made()
    catalogue.log(run.id, [("step/loss", float(step), step) for step in range(2_500)])
    assert len(read_history(run).steps) == 2_500


def test_rename_and_note() -> None:
    """A name and a remark are kept; an empty name is refused."""
    run = made()
    catalogue.rename(run, "  wide ")
    catalogue.note(run, "twice the <b>width</b>")
    changed = catalogue.get(run.id)
    assert (changed.name, changed.note) == ("wide", "twice the <b>width</b>")
    with pytest.raises(RunError, match="needs a name"):
        catalogue.rename(run, " ")


def test_run_in_progress_cannot_be_deleted() -> None:
    """Deleting asks the store, not the caller's memory, whether the run is over."""
    stale = made(accuracy=0.9)
    catalogue.set_tags(stale.id, {"state": State.RUNNING})
    with pytest.raises(RunError, match="in progress"):
        catalogue.delete(stale)
    assert [run.id for run in catalogue.listed()] == [stale.id]


def test_deleted_run_is_gone_with_its_files() -> None:
    """Neither the list nor the folder keeps it, and its id leads nowhere."""
    run = made(accuracy=0.9)
    (run.folder / "best.pt").write_bytes(b"weights")
    catalogue.delete(run)
    assert catalogue.listed() == [] and not run.folder.exists()
    with pytest.raises(RunError, match="deleted"):
        catalogue.get(run.id)


def test_stop_is_passed_on_and_forgotten_by_a_resume() -> None:
    """A wish to stop is seen by the run's process; reopening the run clears it."""
    run = made()
    assert not catalogue.stop_requested(run.id)
    catalogue.request_stop(run)
    assert catalogue.stop_requested(run.id)
    catalogue.set_tags(run.id, {"state": State.STOPPED, "reason": "stopped in epoch 1 of 4"})
    with pytest.raises(RunError, match="not in progress: it is stopped"):
        catalogue.request_stop(catalogue.get(run.id))
    catalogue.reopen(catalogue.get(run.id))
    again = catalogue.get(run.id)
    assert (again.state, again.reason) == (State.QUEUED, "")
    assert not catalogue.stop_requested(run.id)


def test_missing_file_is_named() -> None:
    """A run without a checkpoint says which file it lacks."""
    with pytest.raises(RunError, match=r"no best\.pt"):
        files.path(made(), "best.pt")


def test_summary_is_plain_json() -> None:
    """What the command line prints of a run is JSON as it is."""
    summary = json.loads(json.dumps(made().summary()))
    assert summary["state"] == "queued" and summary["validation_accuracy"] is None


def test_store_survives_being_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runs folder under another name has the same runs and files."""
    old = tmp_path / "old"
    monkeypatch.setenv("DIGITLAB_RUNS", str(old))
    run = made("mover", 0.9)
    (run.folder / "best.pt").write_bytes(b"weights")
    old.rename(tmp_path / "new")
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "new"))
    assert files.path(catalogue.find("mover"), "best.pt").read_bytes() == b"weights"


def test_runs_of_a_newer_version_hide_no_others() -> None:
    """A setting that is not known here is left out; a run whose network is not known, too."""
    older, newer, newest = (catalogue.create(TrainConfig(), "sample", name=name) for name in "abc")
    config = TrainConfig().to_dict()
    catalogue.set_tags(newer.id, {"config": json.dumps(config | {"invented_later": 1})})
    catalogue.set_tags(newest.id, {"config": json.dumps(config | {"network": "invented_later"})})
    assert [run.id for run in catalogue.listed()] == [newer.id, older.id]
    assert catalogue.get(newer.id).config == TrainConfig()

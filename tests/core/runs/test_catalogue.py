"""The run store, on a real embedded one in a folder of its own."""

import itertools
import json
import math
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Event

import pytest

from core.config import TrainConfig
from core.errors import ConfigError, RunError, StoreError
from core.jobs.recorder import Recorder
from core.runs import actions, catalogue, files, sharing, store
from core.runs.history import read_history
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.runs.store import connect


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
    with pytest.raises(RunError, match="2 runs match 'twin'") as refusal:
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
    with pytest.raises(RunError, match="No run has been validated"):
        catalogue.find("best")


def test_best_prefers_the_full_set() -> None:
    """A high score on the sample's small validation set does not beat one on the full set."""
    sample, full = made("s", 1.0), made("f", 0.99, data="mnist")
    assert catalogue.best([sample, full]) == full
    assert catalogue.best([made()]) is None


def test_run_that_may_know_its_validation_images_is_never_the_best() -> None:
    """What a taught run's network had seen before is recorded, and keeps it from being chosen."""
    fair, taught = made("fair", 0.9), made("taught", 1.0)
    catalogue.set_tags(taught.id, {"seen": "mnist"})
    assert catalogue.best([fair, catalogue.get(taught.id)]) == fair == catalogue.find("best")


def test_run_whose_process_died_is_failed() -> None:
    """A run whose lease has ended is shown as failed, with the reason."""
    run = made()
    catalogue.set_tags(run.id, {"state": State.RUNNING, "alive_until": str(time.time() - 1)})
    dead = catalogue.get(run.id)
    assert (dead.state, dead.reason) == (State.FAILED, "the training process died")
    assert catalogue.in_progress() == []
    catalogue.renew(run.id)
    assert catalogue.get(run.id).state == State.RUNNING
    assert [other.id for other in catalogue.in_progress()] == [run.id]


@pytest.mark.parametrize("broken", ["soon", "inf", "nan", ""])
def test_lease_that_cannot_be_read_hides_no_others(broken: str) -> None:
    """A run whose lease another program has broken counts as dead; MLflow's pages show it so."""
    damaged, good = made("damaged"), made("good")
    catalogue.set_tags(damaged.id, {"alive_until": broken})
    assert [run.id for run in catalogue.in_progress()] == [good.id]
    with connect() as (client, _):
        assert client.get_run(damaged.id).info.status == "FAILED"


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
    actions.rename(OWNER, run, "  wide ")
    actions.note(OWNER, run, "twice the <b>width</b>")
    changed = catalogue.get(run.id)
    assert (changed.name, changed.note) == ("wide", "twice the <b>width</b>")
    with pytest.raises(RunError, match="needs a name"):
        actions.rename(OWNER, run, " ")


def test_run_in_progress_cannot_be_deleted() -> None:
    """Deleting asks the store, not the caller's memory, whether the run is over."""
    run = made()
    catalogue.move(run.id, State.STOPPED)
    stale = catalogue.get(run.id)
    actions.reopen(OWNER, stale)
    with pytest.raises(RunError, match="in progress"):
        actions.delete(OWNER, stale)
    assert [run.id for run in catalogue.listed()] == [stale.id]


def test_deleted_run_is_gone_with_its_files() -> None:
    """Neither the list nor the folder keeps it, and its id leads nowhere."""
    run = made(accuracy=0.9)
    (run.folder / "best.pt").write_bytes(b"weights")
    actions.delete(OWNER, run)
    assert catalogue.listed() == [] and not run.folder.parent.exists()
    with pytest.raises(RunError, match="deleted"):
        catalogue.get(run.id)
    with closing(sqlite3.connect(store.directory() / "store.db")) as database:
        for table in ("runs", "tags", "params", "metrics", "latest_metrics"):
            query = f"SELECT count(*) FROM {table} WHERE run_uuid = ?"  # noqa: S608
            assert database.execute(query, [run.id]).fetchone() == (0,), table


@pytest.mark.slow
def test_run_that_still_writes_is_deleted_whole() -> None:
    """Files that its process adds meanwhile go too, and so does what an interrupted delete left."""
    run = made(accuracy=0.9)
    runs = run.folder.parent.parent
    (runs / ".deleted-before").mkdir()
    for number in range(300):
        (run.folder / f"{number}").touch()

    deleted = Event()

    def write() -> None:
        for count in itertools.count():
            if deleted.is_set():
                return
            with suppress(FileNotFoundError):
                (run.folder / f"new-{count}").touch()

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        while not (run.folder / "new-10").exists():
            time.sleep(0.001)
        try:
            actions.delete(OWNER, run)
        finally:
            deleted.set()
        writing.result()
    assert not list(runs.glob(f"*{run.id}")) and not list(runs.glob(".deleted-*"))


def test_deleted_run_leaves_no_files_in_a_teams_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Published files are deleted too; where that fails, the message says where they are."""
    monkeypatch.chdir(tmp_path)  # MLflow keeps the files of such a store below it
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/team.db")
    runs = [made(name, accuracy=0.9) for name in ("gone", "kept")]
    for run in runs:
        (run.folder / "best.pt").write_bytes(b"weights")
        sharing.publish(run.id, run.folder, {files.BEST: 1})
    assert len(list((tmp_path / "mlruns").rglob("best.pt"))) == 2
    actions.delete(OWNER, runs[0])
    (kept,) = (tmp_path / "mlruns").rglob("best.pt")
    folder = kept.parent.rename(tmp_path / "elsewhere")
    kept.parent.symlink_to(folder)  # what lies behind a link is not removed
    with pytest.raises(
        StoreError, match=r"was deleted\. Its files could not be deleted from the team's store at"
    ):
        actions.delete(OWNER, runs[1])
    assert catalogue.listed() == []


def test_stop_is_passed_on_and_forgotten_by_a_resume() -> None:
    """A request to stop reaches the run's process; reopening the run clears it."""
    run = made()
    assert not catalogue.stop_requested(run.id)
    actions.request_stop(OWNER, run)
    assert catalogue.stop_requested(run.id)
    catalogue.set_tags(run.id, {"state": State.STOPPED, "reason": "in epoch 1 of 4"})
    with pytest.raises(RunError, match="not in progress: it is stopped"):
        actions.request_stop(OWNER, catalogue.get(run.id))
    actions.reopen(OWNER, catalogue.get(run.id))
    again = catalogue.get(run.id)
    assert (again.state, again.reason) == (State.QUEUED, "")
    assert not catalogue.stop_requested(run.id)


def test_missing_file_is_named() -> None:
    """A run without a checkpoint says which file it lacks."""
    with pytest.raises(RunError, match=r"file best\.pt .* is missing"):
        files.path(made(), "best.pt")


def test_summary_is_plain_json() -> None:
    """What the command line prints of a run is JSON as it is."""
    summary = json.loads(json.dumps(made().summary()))
    assert summary["state"] == "queued" and summary["validation_accuracy"] is None


@pytest.mark.slow
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
    """An unknown setting is left out; so is a run whose network is unknown."""
    older, newer, newest = (catalogue.create(TrainConfig(), "sample", name=name) for name in "abc")
    config = TrainConfig().to_dict()
    catalogue.set_tags(newer.id, {"config": json.dumps(config | {"invented_later": 1})})
    catalogue.set_tags(newest.id, {"config": json.dumps(config | {"network": "invented_later"})})
    assert [run.id for run in catalogue.listed()] == [newer.id, older.id]
    assert catalogue.get(newer.id).config == TrainConfig()


@pytest.mark.parametrize("config", ["{", "[1]", "3", '{"epochs": "many"}', "[" * 5_000])
def test_run_without_settings_hides_no_others(config: str) -> None:
    """The list leaves it out, and opening it says why."""
    good, bad = made(), made()
    catalogue.set_tags(bad.id, {"config": config})
    assert [run.id for run in catalogue.listed()] == [good.id]
    assert [run.id for run in catalogue.in_progress()] == [good.id]
    with pytest.raises(ConfigError):
        catalogue.get(bad.id)


def test_each_tag_is_read_on_its_own() -> None:
    """An invalid tag gets its default; the run and its other facts are still shown."""
    good, bad = made(), made()
    catalogue.set_tags(bad.id, {"steps": "many", "versions": "[1]", "alive_until": "nan"})
    catalogue.log(bad.id, [("best_epoch", math.nan, 1), ("epochs", 3, 1)])
    assert [run.id for run in catalogue.listed()] == [bad.id, good.id]
    read = catalogue.get(bad.id)
    assert (read.steps, read.versions, read.state) == (0, {}, State.FAILED)
    assert read.config == good.config and read.author == good.author


def test_run_in_a_state_of_a_newer_version_is_shown_as_failed() -> None:
    """The reason names the state, and the other runs stay as they are."""
    good, bad = made(accuracy=0.9), made()
    with connect() as (client, _):
        client.set_tag(bad.id, "state", "paused")
    shown, other = catalogue.listed()
    assert (shown.id, shown.state, other.id) == (bad.id, State.FAILED, good.id)
    assert "this version of Digit Lab does not know the state 'paused'" in shown.reason
    actions.reopen(OWNER, shown)
    assert catalogue.get(bad.id).state == State.QUEUED


def test_first_final_state_wins() -> None:
    """A later one changes neither the state nor the reason; only a resume leaves it."""
    run = made()
    catalogue.move(run.id, State.STOPPED, "in epoch 1 of 4")
    catalogue.move(run.id, State.FAILED, "something else")
    catalogue.set_tags(run.id, {"state": State.FINISHED, "reason": ""})
    stopped = catalogue.get(run.id)
    assert (stopped.state, stopped.reason) == (State.STOPPED, "in epoch 1 of 4")
    actions.reopen(OWNER, stopped)
    catalogue.move(run.id, State.RUNNING)
    catalogue.move(run.id, State.FINISHED)
    assert catalogue.get(run.id).state == State.FINISHED


def test_illegal_moves_are_refused() -> None:
    """A complete run is not trained again, and a run in progress is not reopened."""
    done, going = made(accuracy=0.9), made()
    with pytest.raises(RunError, match="finished run cannot become running"):
        catalogue.move(done.id, State.RUNNING)
    with pytest.raises(RunError, match="finished run cannot become queued"):
        actions.reopen(OWNER, done)
    catalogue.move(going.id, State.RUNNING)
    with pytest.raises(RunError, match="in progress"):
        actions.reopen(OWNER, going)
    assert [run.state for run in catalogue.listed()] == [State.RUNNING, State.FINISHED]


def test_run_whose_process_died_is_reopened() -> None:
    """It may be resumed although its failure was never recorded."""
    run = made()
    catalogue.set_tags(run.id, {"state": State.RUNNING, "alive_until": "0"})
    actions.reopen(OWNER, catalogue.get(run.id))
    assert catalogue.get(run.id).state == State.QUEUED


@pytest.mark.slow
def test_runs_created_at_once_get_different_names() -> None:
    """Twenty of the same recipe, at the same moment, are numbered from 1 to 20."""
    with ThreadPoolExecutor(20) as pool:
        names = {run.name for run in pool.map(lambda _: made(), range(20))}
    assert names == {f"mlp-{number}" for number in range(1, 21)}


def test_long_and_odd_names_are_refused() -> None:
    """80 characters are allowed; new lines become spaces; control characters are refused."""
    assert made("x" * 80).name == "x" * 80
    assert made(" two\n lines ").name == "two lines"
    run = made()
    for bad, why in (("x" * 81, "at most 80"), ("x" * 10_000, "10,000"), ("a\x1b[2Jb", "control")):
        with pytest.raises(RunError, match=why):
            made(bad)
        with pytest.raises(RunError, match=why):
            actions.rename(OWNER, run, bad)
    assert len(catalogue.listed()) == 3


def test_long_note_is_refused_rather_than_cut() -> None:
    """8,000 characters are kept, all of them; one more is refused, and the old note stays."""
    run = made()
    actions.note(OWNER, run, "é" * 8_000)
    with pytest.raises(RunError, match=r"8,001 characters, and at most 8,000"):
        actions.note(OWNER, run, "x" * 8_001)
    assert catalogue.get(run.id).note == "é" * 8_000


def test_first_end_that_a_recorder_gets_wins() -> None:
    """A failure after a stop does not take its place, even if neither was written yet."""
    run = made()
    recorder = Recorder(run)
    recorder.end(State.STOPPED, "in epoch 1 of 4")
    recorder.end(State.FAILED, "something else")
    recorder.start()
    recorder.close()
    assert catalogue.get(run.id).reason == "in epoch 1 of 4"

"""Runs in real processes: started, stopped, killed, resumed."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.config import TrainConfig
from core.data import mnist
from core.errors import CheckpointError, RunError
from core.jobs import labels, process, queue, request, standby, worker
from core.reading.reader import fit_calibration
from core.runs import actions, answers, catalogue, files, store
from core.runs.history import read_history
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.training import checkpoint, forming

pytestmark = pytest.mark.usefixtures("sample_only")

SHORT = TrainConfig(network="mlp", epochs=2, batch_size=64, train_size=500, validation_size=100)
LONG = SHORT.changed({"epochs": 200, "train_size": 3000})


def wait(run: Run, until: Callable[[Run], bool], seconds: float = 60) -> Run:
    """Return the run once a condition holds; fail if it does not within some seconds."""
    deadline = time.monotonic() + seconds
    while not until(current := catalogue.get(run.id)):
        assert time.monotonic() < deadline, (current, log(run))
        time.sleep(0.1)
    return current


def log(run: Run) -> str:
    """Return what the run's log says."""
    return (run.folder / files.LOG).read_text()


def pid_of(run: Run) -> int:
    """Return the number of the process that is at work on a run."""
    return int(_ticket(run).read_text())


def test_started_run_finishes_with_everything_kept() -> None:
    """A detached process trains, records, reads the test set once, and keeps its files."""
    run = request.start(SHORT, "sample", "mlp", "whole")
    assert run.state == State.QUEUED
    done = wait(run, lambda now: now.state.is_over)
    assert (done.state, done.reason, done.epochs) == (State.FINISHED, "", 2), log(run)
    assert done.validation_accuracy and done.test_accuracy and done.train_seconds
    assert {"python", "torch", "numpy"} <= done.versions.keys()
    assert done.device == "cpu" and done.parameters == 267_410 and done.data_checksum
    fitted = fit_calibration(done, mnist.load("sample"))
    assert (done.calibration, fitted.temperature != 1) == (fitted, True)
    names = {path.name for path in done.folder.iterdir()}
    assert {"best.pt", "last.pt", "test.npy", "validation.npy", "log.txt"} <= names
    moments = [moment.step for moment in forming.load(done.folder / "forming.pt")]
    assert moments[0] == 0 and moments[-1] == done.steps and moments == sorted(set(moments))
    assert list((done.folder / "tensorboard").glob("events.out.tfevents.*"))
    history = read_history(done)
    assert history.epochs["epoch"].tolist() == [1, 2]
    assert history.steps["step"].max() == done.steps == done.step


def test_tensorboard_reads_what_was_written() -> None:
    """The event files hold the same validation accuracies as the store."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = request.enqueue(SHORT, "sample")
    worker.work(run)
    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    told = [event.value for event in events.Scalars("epoch/validation_accuracy")]
    assert told == pytest.approx(read_history(run).epochs["validation_accuracy"].tolist())


def test_stop_is_obeyed_within_2_seconds_and_the_run_resumes() -> None:
    """A stopped run keeps its best epoch, and continues from its last one when resumed."""
    run = request.start(LONG, "sample")
    wait(run, lambda now: now.epochs >= 2)
    begin = time.monotonic()
    actions.request_stop(OWNER, catalogue.get(run.id))
    stopped = wait(run, lambda now: now.state.is_over)
    assert time.monotonic() - begin < 2.5  # 2 s and a look at the store
    assert stopped.state == State.STOPPED and "in epoch" in stopped.reason
    assert stopped.test_accuracy is None  # it can be resumed, and must not be chosen by it

    worker_done = wait(run, lambda now: not _in_queue(now))
    again = subprocess.Popen(
        [sys.executable, "-m", "core", "train", "--resume", run.id],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    further = wait(run, lambda now: now.epochs > worker_done.epochs)
    assert further.state == State.RUNNING
    again.send_signal(signal.SIGINT)
    out, _ = again.communicate(timeout=30)
    told = json.loads(out)
    assert again.returncode == 0 and (told["state"], told["test_accuracy"]) == ("stopped", None)
    assert not (run.folder / "test.npy").exists()
    assert read_history(run).epochs["epoch"].is_monotonic_increasing
    moments = [moment.step for moment in forming.load(run.folder / "forming.pt")]
    assert moments[0] == 0 and moments == sorted(set(moments))


def test_moments_that_cannot_be_kept_are_reported() -> None:
    """A run whose forming cannot be written finishes, and says so."""
    run = catalogue.create(SHORT, "sample")
    (run.folder / files.FORMING).mkdir(parents=True)  # no file can take its place
    done = worker.work(run, queued=False)
    assert done.state == State.FINISHED and done.test_accuracy
    assert "How the network formed could not be kept" in done.warning


def _in_queue(run: Run) -> bool:
    return any(store.directory().glob(f"queue/*/*-{run.id}"))


def test_killed_run_is_failed_within_15_seconds() -> None:
    """A run killed with signal 9 cannot record its end, and is shown as failed all the same."""
    run = request.start(LONG, "sample")
    wait(run, lambda now: now.step > 0)
    os.kill(pid_of(run), signal.SIGKILL)
    dead = wait(run, lambda now: now.state.is_over, seconds=15)
    assert (dead.state, dead.reason) == (State.FAILED, "the training process died")


def test_second_run_waits_and_can_be_stopped_while_it_waits() -> None:
    """One training at a time: the second is queued, and ends as stopped without having begun."""
    first = request.start(LONG, "sample")
    wait(first, lambda now: now.state == State.RUNNING)
    second = request.start(SHORT, "sample")
    # Its process is there when its number is in the ticket.
    wait(second, lambda _: _ticket(second).read_text().partition("\n")[0].isdigit())
    assert catalogue.get(second.id).state == State.QUEUED
    assert [run.id for run in catalogue.in_progress()] == [first.id, second.id]
    actions.request_stop(OWNER, second)
    over = wait(second, lambda now: now.state.is_over)
    assert (over.state, over.epochs) == (State.STOPPED, 0)
    actions.request_stop(OWNER, first)
    wait(first, lambda now: now.state.is_over)


def _ticket(run: Run) -> Path:
    return next(store.directory().glob(f"queue/*/*-{run.id}"))


def test_diverged_run_says_so() -> None:
    """A run whose loss is no longer finite ends as diverged, with step and rate."""
    config = SHORT.changed(
        {"network": "digit_cnn", "optimizer": "sgd", "learning_rate": 10, "weight_decay": 1}
    ).changed({"schedule": "constant", "epochs": 10})
    done = worker.work(request.enqueue(config, "sample"))
    assert done.state == State.DIVERGED and "learning rate of 10" in done.reason


def test_bug_shows_its_last_line_and_logs_the_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception ends the run as failed, with its last line; the log has all of it."""
    run = request.enqueue(SHORT, "sample")

    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("what a bug says")

    monkeypatch.setattr(answers, "read_test", broken)
    with pytest.raises(ZeroDivisionError):
        worker.work(run)
    failed = catalogue.get(run.id)
    assert (failed.state, failed.reason) == (State.FAILED, "ZeroDivisionError: what a bug says")
    assert "Traceback" in log(run)


def test_code_is_that_of_the_process_that_trains() -> None:
    """The server may run older code for days: the commit is that of the run's process."""
    run = request.enqueue(SHORT, "sample")
    assert (run.commit, run.versions) == ("", {})
    told = process.code()
    done = worker.work(run)
    assert (done.commit, done.versions) == (told["commit"], json.loads(told["versions"]))


def test_process_killed_before_its_first_sign_of_life_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run is failed at once, not when its lease ends, and does not block the queue."""
    started: list[subprocess.Popen[bytes]] = []
    launch = process.launch

    def noted(*arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
        started.append(launch(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(process, "launch", noted)
    run = request.start(SHORT, "sample")
    started[0].kill()
    dead = wait(run, lambda now: now.state.is_over, seconds=15)
    assert (dead.state, dead.reason) == (State.FAILED, "the training process died")
    assert not _in_queue(run)


def test_deleted_run_ends_its_process() -> None:
    """A run that looks dead can be deleted while it trains: its process then ends by itself."""
    run = request.start(LONG, "sample")
    wait(run, lambda now: now.epochs >= 1)
    number = pid_of(run)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        catalogue.forfeit(run.id)
        with suppress(RunError):
            actions.delete(OWNER, run)
            break
    gone_by = time.monotonic() + 20
    while _lives(number):
        assert time.monotonic() < gone_by
        time.sleep(0.1)


def _lives(number: int) -> bool:
    """Return whether the process of this number is there, and not merely a zombie."""
    try:
        os.kill(number, 0)
        return " Z " not in Path(f"/proc/{number}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process, as Linux can")
def test_full_disk_is_reported_and_outlived() -> None:
    """Seconds of a full disk cost a warning, and no metric is lost."""
    import resource

    run = request.start(LONG, "sample")
    before = wait(run, lambda now: now.epochs >= 2)
    number, infinite = pid_of(run), resource.RLIM_INFINITY
    resource.prlimit(number, resource.RLIMIT_FSIZE, (1, infinite))
    time.sleep(4)
    assert _lives(number)
    resource.prlimit(number, resource.RLIMIT_FSIZE, (infinite, infinite))
    room = wait(run, lambda now: now.epochs > before.epochs + 2 and now.warning != "")
    assert room.state == State.RUNNING and "could not be written" in room.warning
    actions.request_stop(OWNER, room)
    stopped = wait(run, lambda now: now.state.is_over)
    assert stopped.state == State.STOPPED, log(run)
    told = read_history(run).epochs["epoch"].tolist()
    assert told == list(range(1, stopped.epochs + 1))
    assert checkpoint.load(run.folder / files.BEST)["epoch"] == stopped.best_epoch
    wait(run, lambda now: not _in_queue(now))


def test_folder_removed_in_the_middle_is_reported_and_outlived() -> None:
    """The run continues until it is stopped, and warns that nothing is kept; no folder is made."""
    run = request.start(LONG, "sample")
    before = wait(run, lambda now: now.epochs >= 1)
    shutil.rmtree(run.folder.rename(run.folder.with_name("trash")))
    told = wait(run, lambda now: now.epochs > before.epochs and now.warning != "")
    assert told.state == State.RUNNING and "could not be written" in told.warning
    actions.request_stop(OWNER, told)
    stopped = wait(run, lambda now: now.state.is_over)
    assert stopped.state == State.STOPPED and not run.folder.exists()
    wait(run, lambda now: not _in_queue(now))


def test_run_that_kept_no_network_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without a saved network has failed, whatever accuracy is recorded."""
    run = request.enqueue(SHORT, "sample")
    no_room_for(files.BEST, monkeypatch)
    done = worker.work(run)
    assert done.state == State.FAILED and "best epoch could not be saved" in done.reason
    assert done.test_accuracy is None and "could not be saved" in done.warning


def no_room_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every write of a file of this name fail, as on a full disk."""
    replace = Path.replace

    def full(path: Path, target: Path) -> Path:
        if target.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)


def test_without_room_for_a_process_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be started says so, and leaves neither a queued run nor a place in the queue."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    standby.release()
    monkeypatch.setattr(subprocess, "Popen", refused)
    standby.prepare(request.worker_environment())  # a run begins without it, only later
    digits = mnist.load("sample")
    with pytest.raises(RunError, match="No process could be started: Cannot allocate memory"):
        request.start(SHORT, "sample")
    with pytest.raises(RunError, match="No process could be started: Cannot allocate memory"):
        labels.start(digits)
    assert [run.state for run in catalogue.listed()] == [State.FAILED]
    assert queue.owners() == []
    assert labels.work(digits.checksum) == labels.Work(problem=labels.DIED)


def stopped_run() -> Run:
    """Return a run that was stopped after an epoch or more, its process gone."""
    run = request.start(LONG, "sample")
    trained = wait(run, lambda now: now.epochs >= 1)
    number = pid_of(run)
    actions.request_stop(OWNER, trained)
    wait(run, lambda now: now.state.is_over and not _lives(number))
    return catalogue.get(run.id)  # it may have recorded its calibration just before it ended


def test_run_without_its_last_checkpoint_is_not_started_over() -> None:
    """The resume is refused, because starting over would mix two trainings in the store."""
    run = stopped_run()
    (run.folder / files.LAST).unlink()
    with pytest.raises(
        RunError,
        match=rf"checkpoint of its last epoch, {run.epochs}, is missing\. Resume it on the machine",
    ):
        worker.work(run)
    assert catalogue.get(run.id) == run


def test_resume_elsewhere_fetches_what_the_run_left_in_the_team_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine continues after the last epoch; the first one then sees the newer network."""
    monkeypatch.chdir(tmp_path)  # a team's store in a file keeps its files there
    (tmp_path / "team").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/team/store.db")
    monkeypatch.setattr("core.jobs.recorder._TEAM_FLUSH", 0.5)  # seconds until a stop is seen
    here, there = store.directory(), tmp_path / "elsewhere"
    slow = SHORT.changed({"network": "pytorch_example", "epochs": 8, "train_size": 1_000})
    run = request.enqueue(slow, "sample")  # slow enough to be stopped on its way
    stopping = threading.Thread(target=_stop_after_an_epoch, args=(run,))
    stopping.start()
    run = worker.work(run)
    stopping.join()
    assert run.state == State.STOPPED and 1 <= run.epochs < 8
    before = files.path(run, files.LAST).read_bytes()

    monkeypatch.setenv("DIGITLAB_RUNS", str(there))
    done = worker.work(run)
    assert (done.state, done.epochs) == (State.FINISHED, 8) and done.test_accuracy
    epochs = read_history(done).epochs["epoch"].tolist()
    assert epochs == list(range(1, 9))
    after = files.path(done, files.LAST).read_bytes()

    assert after != before
    monkeypatch.setenv("DIGITLAB_RUNS", str(here))  # where it began, and has files of its own
    assert files.path(catalogue.get(run.id), files.LAST).read_bytes() == after


def _stop_after_an_epoch(run: Run) -> None:
    wait(run, lambda now: now.epochs >= 1)
    actions.request_stop(OWNER, catalogue.get(run.id))


def test_checkpoint_that_cannot_be_written_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without room for its checkpoints a run trains to the end, and warns."""
    run = request.enqueue(SHORT, "sample")
    no_room_for(files.LAST, monkeypatch)
    done = worker.work(run)
    assert done.state == State.FINISHED and done.test_accuracy
    assert "could not be written" in done.warning


def test_run_that_another_process_holds_is_left_to_it() -> None:
    """The second process is refused, and only the first one records the run's state."""
    run = request.enqueue(SHORT, "sample")
    with queue.turn(store.directory() / "queue" / "cpu", run.id):
        second = subprocess.run(
            [sys.executable, "-m", "core", "train", "--resume", run.id],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert second.returncode == 2 and "Another process" in second.stderr
    assert catalogue.get(run.id).state == State.QUEUED


def test_complete_run_is_not_resumed() -> None:
    """Resuming what is finished is refused; nothing of it changes."""
    done = worker.work(request.enqueue(SHORT, "sample"))
    with pytest.raises(RunError, match="cannot be resumed"):
        worker.work(done)
    assert catalogue.get(done.id) == done


def test_damaged_checkpoint_fails_the_resume_with_a_message() -> None:
    """A run whose last checkpoint is damaged says that, not a traceback."""
    run = request.enqueue(SHORT, "sample")
    (run.folder / files.LAST).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="damaged"):
        worker.work(run)
    failed = catalogue.get(run.id)
    assert failed.state == State.FAILED and "damaged" in failed.reason
    assert "Traceback" not in log(run)


def test_waiting_process_has_not_loaded_torch(tmp_path: Path) -> None:
    """A queued process has not loaded torch's 500 MB."""
    code = """
import sys
from core.config import TrainConfig
from core.jobs import queue, request, worker
class Turn:
    def __enter__(self): print("torch" in sys.modules, flush=True); return False
    def __exit__(self, *_): pass
queue.turn = lambda *_: Turn()
worker.work(request.enqueue(TrainConfig(network="mlp"), "sample"))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert told.stdout == "False\n", told.stderr


def test_queue_is_the_one_that_the_device_asks_for() -> None:
    """A run on the CPU has its ticket in the CPU's queue as soon as it is requested."""
    run = request.enqueue(SHORT.changed({"device": "cpu"}), "sample")
    tickets = list((store.directory() / "queue" / "cpu").iterdir())
    assert [ticket.name.split("-")[1] for ticket in tickets] == [run.id]
    with queue.turn(store.directory() / "queue" / "cpu", run.id) as ours:
        assert ours

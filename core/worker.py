"""One run in its own process: wait for the device, train, record, stop, vouch for being alive.

The training loop never waits for the store: what it has to say goes to a thread of its own.
"""

import gc
import logging
import os
import signal
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core import queue, runs, spare
from core.config import TrainConfig
from core.device import queue_name
from core.errors import CheckpointError, DataError, RunError, StoreError, UserError
from core.run import Run, State
from core.store import PATIENCE, directory

if TYPE_CHECKING:  # torch takes 2 s and 500 MB: a run that waits does without
    import numpy as np
    from numpy.typing import NDArray

    from core.checkpoint import Checkpoint
    from core.train import Epoch, Started, Step

LAST, BEST, LOG = "last.pt", "best.pt", "log.txt"
START, EXTRA = "start.pt", "extra.npz"  # of a run that is taught: first weights, further digits
_FLUSH = 0.5  # seconds between two writes to the store, and two looks for a stop
_PERSISTENCE = 60.0  # seconds for which a store that fails is tried again
_log = logging.getLogger("digitlab")


def start(config: TrainConfig, data: str, recipe: str = "", name: str = "") -> Run:
    """Ask for a run and start its process, detached: it outlives the caller. Raises StoreError."""
    run = ask(config, data, recipe, name)
    launch(run)
    return run


def launch(run: Run) -> None:
    """Start the process of a run that was asked for."""
    environment = _environment()
    if not spare.take(run.id, environment):
        with (run.folder / LOG).open("ab") as log:
            spare.launch(["core", "train", "--resume", run.id], environment, stderr=log)


def prepare() -> None:
    """Load, in a process of its own, what the next `start` needs: that run begins seconds earlier.

    Only while no run is in progress: a training and a spare process would share the memory.
    Raises StoreError.
    """
    if not runs.in_progress():
        spare.prepare(_environment())


def _environment() -> dict[str, str]:
    """Return what a training process sees: what its caller does, wherever that was started."""
    return {**os.environ, "DIGITLAB_RUNS": str(directory()), "DIGITLAB_DATA": _data_folder()}


def ask(
    config: TrainConfig, data: str, recipe: str = "", name: str = "", taught_from: str = ""
) -> Run:
    """Enter a run into the store and the queue; somebody has to `work` on it. Raises StoreError."""
    run = runs.create(config, data, recipe, name, taught_from)
    queue.enter(_queue(config), run.id)
    return run


def _queue(config: TrainConfig) -> Path:
    return directory() / "queue" / queue_name(config.device)


def _data_folder() -> str:
    from core.data import directory

    return str(directory().resolve())


def work(run: Run) -> Run:
    """Do a run, from its last checkpoint if it has one, and return how it ended.

    Raises RunError if it is complete or in progress elsewhere. A UserError or a bug inside ends
    the run as failed, and is raised again.
    """
    if run.state == State.RUNNING:
        raise RunError(f"The run {run.name} is running already. Stop it first.")
    if run.state in (State.FINISHED, State.DIVERGED):
        raise RunError(f"The run {run.name} has {run.state}: nothing is left to do. Start another.")
    if run.state.is_over:
        runs.reopen(run)
    run.folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(run.folder / LOG)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    patience = os.environ[PATIENCE]
    os.environ[PATIENCE] = "30"  # nobody waits here: rather late than never
    recorder = _Recorder(run.id)
    before = {
        number: signal.signal(number, lambda *_: recorder.stopping.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    recorder.start()
    try:
        with queue.turn(_queue(run.config), run.id, recorder.stopping.is_set) as ours:
            if ours:
                _train(run, recorder)
            else:
                recorder.end(State.STOPPED, "stopped while it waited for its turn")
    except RunError:
        raise  # another process is at work on this run: how it ends is for that one to say
    except BaseException as error:
        last_line = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        reason = str(error) if isinstance(error, UserError) else last_line
        _log.error("failed: %s", reason, exc_info=not isinstance(error, UserError))
        recorder.end(State.FAILED, reason)
        raise
    finally:
        recorder.close()
        os.environ[PATIENCE] = patience
        for number, handle in before.items():
            signal.signal(number, handle)
        _log.removeHandler(handler)
        handler.close()
    return runs.get(run.id)


def _train(run: Run, recorder: "_Recorder") -> None:
    """Train and record: the events to the store and TensorBoard, the checkpoints to the folder."""
    from torch.utils.tensorboard import SummaryWriter

    from core import checkpoint, data, results
    from core.train import Ended, Epoch, Started, Step, train

    recorder.tags({"state": State.RUNNING, "reason": ""})
    _log.info("training %s", run.config)
    digits = data.load(run.data)
    if run.data_checksum not in ("", digits.checksum):
        raise DataError(
            "The data are not those with which this run began. Put them back, or start a new run."
        )
    recorder.tags({"data_checksum": digits.checksum})
    resume = checkpoint.load(run.folder / LAST) if (run.folder / LAST).exists() else None
    start = checkpoint.load(run.folder / START) if run.taught_from else None
    gc.freeze()  # what has been loaded stays
    gc.enable()
    board = SummaryWriter(str(run.folder / "tensorboard"))
    best: Checkpoint | None = None
    for event in train(
        *(run.config, digits),
        start=start,
        extra=_extra(run.folder / EXTRA) if run.taught_from else None,
        resume=resume,
        should_stop=recorder.stopping.is_set,
    ):
        match event:
            case Started():
                recorder.started(event)
            case Step():
                recorder.step(event)
                for name in runs.STEP_METRICS:
                    board.add_scalar(f"step/{name}", getattr(event, name), event.step)
            case Epoch():
                recorder.epoch(event)
                for name in runs.EPOCH_METRICS:
                    board.add_scalar(f"epoch/{name}", getattr(event, name), event.epoch)
                if event.is_best:
                    best = event.checkpoint
                recorder.warn(_keep(run, event))
            case Ended():
                _log.info("%s %s", event.state, event.reason)
                board.close()
                # A stop is answered at once; the others end when their test accuracy is there.
                if event.state == State.STOPPED:
                    recorder.end(State.STOPPED, event.reason)
                if best is None and (run.folder / BEST).exists():
                    best = checkpoint.load(run.folder / BEST)
                if best is not None:
                    with suppress(RunError):  # without room for its answers, it stays as it is
                        fitted = asdict(results.calibration(run, digits))
                        recorder.metrics(fitted, best["epoch"])
                    accuracy = results.read_test(run, best, digits)
                    recorder.metrics({"test_accuracy": accuracy}, best["epoch"])
                runs.publish(run.id)
                recorder.end(State(event.state), event.reason)


def _extra(path: Path) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    """Return the images and labels that a run learns beside its data's."""
    import numpy as np

    with np.load(path, allow_pickle=False) as content:
        return content["images"], content["labels"]


def _keep(run: Run, event: "Epoch") -> str:
    """Write an epoch's checkpoint and answers; return what went wrong, for the run goes on."""
    from core import checkpoint, results

    _log.info(
        "epoch %d of %d: validation accuracy %.4f, %.1f s",
        *(event.epoch, run.config.epochs, event.validation_accuracy, event.seconds),
    )
    try:
        checkpoint.save(event.checkpoint, run.folder / LAST)
        if event.is_best:
            checkpoint.save(event.checkpoint, run.folder / BEST)
            results.save(run.folder, "validation", event.probabilities)
            # What an earlier best epoch of a resumed run said of the test set is not this one's.
            (run.folder / "test.npy").unlink(missing_ok=True)
    except CheckpointError as error:
        _log.warning("%s", error)
        return str(error)
    return ""


class _Recorder(threading.Thread):
    """Takes what a run has to say to the store, and brings back whether it should stop.

    A store that fails is tried again, with nothing lost, for as long as the run lasts and
    _PERSISTENCE seconds more.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(name="recorder", daemon=True)
        self.stopping = threading.Event()
        self._run_id = run_id
        self._lock = threading.Lock()
        self._points: list[tuple[str, float, int]] = []
        self._tags: dict[str, str] = {}
        self._wake, self._closed = threading.Event(), threading.Event()

    def metrics(self, values: dict[str, float], step: int) -> None:
        with self._lock:
            self._points += [(name, float(value), step) for name, value in values.items()]

    def tags(self, values: dict[str, str]) -> None:
        with self._lock:
            self._tags |= values

    def started(self, event: "Started") -> None:
        device = event.device
        self.tags(
            {
                "steps": str(event.steps),
                "device": device.kind,
                "device_name": device.name,
                "precision": device.precision,
            }
        )
        self.metrics({"parameters": event.parameters}, 0)

    def step(self, event: "Step") -> None:
        values = {f"step/{name}": getattr(event, name) for name in runs.STEP_METRICS}
        self.metrics(values | {"progress": event.step}, event.step)
        if event.step == 1:  # somebody waits for the first point
            self._wake.set()

    def epoch(self, event: "Epoch") -> None:
        values = {f"epoch/{name}": getattr(event, name) for name in runs.EPOCH_METRICS}
        values |= {
            "epochs": event.epoch,
            "best_epoch": event.checkpoint["best_epoch"],
            "best_validation_accuracy": event.checkpoint["best_accuracy"],
            "train_seconds": event.total_seconds,
        }
        self.metrics(values, event.epoch)

    def warn(self, text: str) -> None:
        if text:
            self.tags({"warning": text})

    def end(self, state: State, reason: str) -> None:
        """Say how the run ended, now; a first word stands."""
        self.tags({"state": state, "reason": reason})
        self._wake.set()

    def close(self) -> None:
        """Wait until all is written, or the store has failed for _PERSISTENCE seconds."""
        self._closed.set()
        self._wake.set()
        self.join(_PERSISTENCE)

    def run(self) -> None:
        renewed, failing = 0.0, False
        while not (self._closed.is_set() and not self._points and not self._tags):
            self._wake.wait(_FLUSH)
            self._wake.clear()
            try:
                if time.monotonic() - renewed > runs.RENEW:
                    runs.renew(self._run_id)
                    renewed = time.monotonic()
                self._flush()
                if runs.stop_requested(self._run_id):
                    self.stopping.set()
                failing = False
            except StoreError as error:
                if not failing:
                    _log.warning("%s", error)
                failing = True
                time.sleep(_FLUSH)

    def _flush(self) -> None:
        with self._lock:
            points, tags = self._points, self._tags
            self._points, self._tags = [], {}
        try:
            runs.log(self._run_id, points)
            points = []
            if tags:
                runs.set_tags(self._run_id, tags)
        except StoreError:
            with self._lock:
                self._points, self._tags = points + self._points, tags | self._tags
            raise

"""Train one run in this process: wait for the device, train, save, and stop on request.

python -m core.jobs.worker RUN
"""

import gc
import logging
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckpointError, DataError, RunError, UserError
from core.jobs import limits, process, queue
from core.jobs.recorder import Recorder
from core.jobs.uploader import Uploader
from core.runs import actions, catalogue, files, hardness, label_notes, sharing
from core.runs.files import BEST, EXTRA, LAST, LOG, START, VALIDATION
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.runs.store import TIMEOUT, directory, is_shared, load_for_training

if TYPE_CHECKING:  # torch takes 2 s and 500 MB: a queued run does not load it
    import numpy as np
    from numpy.typing import NDArray

    from core.data.digits import Digits
    from core.jobs.keeper import Keeper
    from core.training.checkpoint import Checkpoint
    from core.training.events import Ended, Epoch, Event

_log = logging.getLogger("digitlab")


def work(
    run: Run,
    queued: bool = True,
    judge: "Callable[[Epoch], str]" = lambda epoch: "",
    digits: "Digits | None" = None,
) -> Run:
    """Train a run, from its last checkpoint if it has one, and return it in its final state.

    If not `queued`, it does not wait for other trainings on the device. `judge` is called after
    each epoch; the run is stopped if it returns a reason. `digits` are the run's data, if they are
    loaded already.

    Raises RunError if the run is complete, in progress elsewhere, deleted meanwhile, or has lost
    the checkpoint to resume from; StoreError if its end could not be recorded. Any error while it
    trains is recorded as the run's failure and raised again.
    """
    if run.state == State.RUNNING:
        raise RunError(f"The run {run.name} is already running. Stop it first.")
    if run.state.is_final:
        raise RunError(
            f"The run {run.name} has {run.state} and cannot be resumed. Start a new run."
        )
    _fetch(run)
    folder = files.claim(run)
    if run.state.is_over:
        actions.reopen(OWNER, run)
    recorder = Recorder(run)
    with _logged(run.folder / LOG), _longer_timeout(), _stopped_by_signals(recorder):
        recorder.start()
        with ExitStack() as at_the_end:
            at_the_end.callback(recorder.close)
            recorder.tags({"trained_in": folder})
            _take_turn(run, recorder, queued, judge, digits)
    done = catalogue.get(run.id)
    on_a_server = os.environ.get("MLFLOW_TRACKING_URI", "").startswith("http")
    if done.state == State.FINISHED and not done.sweep and on_a_server:
        _make_model(done)
    return done


def _make_model(run: Run) -> None:
    """Start the process that adds the network as an MLflow model, without waiting for it."""
    from core.data import mnist

    folders = {"DIGITLAB_RUNS": directory(), "DIGITLAB_DATA": mnist.directory().resolve()}
    environment = os.environ | {name: str(folder) for name, folder in folders.items()}
    with suppress(OSError, RunError), (run.folder / LOG).open("ab") as log:
        process.launch("core.export.mlflow_model", run.id, environment=environment, stderr=log)


def _fetch(run: Run) -> None:
    """Fetch the files that a run resumes from, even if it was trained on another machine.

    Raises StoreError, and RunError if the last checkpoint is missing: otherwise training would
    silently start over, although the store has epochs of this run.
    """
    if run.epochs:
        try:
            files.path(run, LAST)
        except RunError as error:
            raise RunError(
                f"The run {run.name} cannot be resumed here: the checkpoint of its last epoch, "
                f"{run.epochs}, is missing. Resume it on the machine where it trained "
                f"({run.host}), or start a new run."
            ) from error
        for name in (BEST, VALIDATION):
            with suppress(RunError):
                files.path(run, name)
    if run.taught_from:
        for name in (START, EXTRA):
            files.path(run, name)


def _take_turn(
    run: Run,
    recorder: Recorder,
    queued: bool,
    judge: "Callable[[Epoch], str]",
    digits: "Digits | None",
) -> None:
    """Wait for the device if `queued`, and train; record an error as the run's failure."""
    folder = queue.folder_for(run.config)
    try:
        with (
            queue.turn(folder, run.id, recorder.stopping.is_set) if queued else nullcontext(True)
        ) as ours:
            if ours:
                _train(run, recorder, judge, digits)
            else:
                recorder.end(State.STOPPED, "before training began")
    except RunError:
        raise  # another process trains this run and records its end
    except BaseException as error:
        last_line = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        reason = str(error) if isinstance(error, UserError) else last_line
        _log.error("failed: %s", reason, exc_info=not isinstance(error, UserError))
        recorder.end(State.FAILED, reason)
        raise


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write the log to a run's file; if that is impossible, train without a log."""
    try:
        handler: logging.Handler = logging.FileHandler(path)
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    try:
        yield
    finally:
        _log.removeHandler(handler)
        with suppress(OSError):  # a full disk: the last lines are lost
            handler.close()


@contextmanager
def _longer_timeout() -> Iterator[None]:
    """Give a team's store more time to answer, since no page waits for it here."""
    before = os.environ[TIMEOUT]
    os.environ[TIMEOUT] = "30"
    try:
        yield
    finally:
        os.environ[TIMEOUT] = before


@contextmanager
def _stopped_by_signals(recorder: Recorder) -> Iterator[None]:
    """Make SIGTERM and Ctrl-C stop the run as the Stop button does."""
    before = {
        number: signal.signal(number, lambda *_: recorder.stopping.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handle in before.items():
            signal.signal(number, handle)


def _train(
    run: Run, recorder: Recorder, judge: "Callable[[Epoch], str]", digits: "Digits | None"
) -> None:
    """Train; write the events to the store and to the run's folder."""
    from core.data import mnist
    from core.jobs.keeper import Keeper
    from core.training.events import Ended, Epoch
    from core.training.loop import train

    code = process.code()
    recorder.tags({"state": State.RUNNING, "reason": "", "host": platform.node()} | code)
    recorder.tags({"mlflow.source.git.commit": code["commit"].removesuffix("+")})
    _log.info("training %s", run.config)
    digits = digits or mnist.load(run.data)
    if run.data_checksum not in ("", digits.checksum):
        raise DataError(
            "The data have changed since this run began. Restore them, or start a new run."
        )
    recorder.tags({"data_checksum": digits.checksum})
    start, extra = _finetuning_inputs(run) if run.taught_from else (None, None)
    left_out = label_notes.left_out(run.config.notes, digits) if run.config.notes else None
    ranks = hardness.wanted(run.config, digits)
    resume = _resume_checkpoint(run)
    gc.freeze()  # loaded modules are never garbage
    gc.enable()
    keeper = Keeper(run)
    uploader = Uploader(replace(run, data_checksum=digits.checksum))
    with limits.deadline(recorder.stopping):
        for event in train(
            run.config,
            digits,
            start=start,
            extra=extra,
            left_out=left_out,
            ranks=ranks,
            resume=resume,
            should_stop=recorder.stopping.is_set,
        ):
            _handle(event, run, keeper, recorder, uploader)
            if isinstance(event, Ended):
                _end(event, run, keeper, recorder, uploader, digits)
            if isinstance(event, Epoch) and (reason := judge(event)):
                recorder.end(State.STOPPED, reason)
                recorder.stopping.set()


def _finetuning_inputs(
    run: Run,
) -> "tuple[Checkpoint, tuple[NDArray[np.uint8], NDArray[np.uint8]]]":
    """Return the initial weights of a fine-tuned run, and the extra digits that it learns.

    Raises CheckpointError.
    """
    import numpy as np

    from core.training import checkpoint

    with np.load(run.folder / EXTRA, allow_pickle=False) as content:
        digits = content["images"], content["labels"]
    return checkpoint.load(run.folder / START), digits


def _resume_checkpoint(run: Run) -> "Checkpoint | None":
    """Return the checkpoint to resume a run from, if any. Raises CheckpointError."""
    from core.training import checkpoint

    if not (run.folder / LAST).exists():
        return None
    return checkpoint.load(run.folder / LAST)


def _handle(
    event: "Event", run: Run, keeper: "Keeper", recorder: Recorder, uploader: Uploader
) -> None:
    """Record one event of a training in progress, and write its files."""
    from core.training.events import Epoch, Started, Step
    from core.training.forming import Moment

    match event:
        case Started():
            recorder.started(event)
        case Step():
            recorder.step(event)
            keeper.step(event)
        case Moment():
            keeper.moment(event)
        case Epoch():
            _log.info(
                f"epoch {event.epoch} of {run.config.epochs}: "
                f"validation accuracy {event.validation_accuracy:.4f}, {event.seconds:.1f} s"
            )
            keeper.epoch(event)  # before it is recorded: no epoch in the store lacks its files
            recorder.epoch(event)
            uploader.epoch(event.epoch, event.checkpoint["best_epoch"])
            if problem := keeper.problem or keeper.moments_problem:
                _log.warning("%s", problem)
                recorder.warn(problem)


def _end(
    event: "Ended",
    run: Run,
    keeper: "Keeper",
    recorder: Recorder,
    uploader: Uploader,
    digits: "Digits",
) -> None:
    """Test the network if the run cannot be resumed, publish its files, and record its end."""
    from core.reading.reader import fit_calibration, fit_temperature
    from core.runs import answers

    _log.info("%s %s", event.state, event.reason)
    if recorder.gone.is_set():
        return
    state, reason = State(event.state), event.reason
    if state == State.STOPPED:  # a stop is shown at once; other ends once all files are written
        recorder.end(state, reason)
    try:
        best = keeper.close()
    except CheckpointError as error:
        best = None
        recorder.warn(f"The network of the best epoch could not be saved. {error}")
        if state == State.FINISHED:
            state, reason = State.FAILED, f"its best epoch could not be saved. {error}"
    recorder.warn(keeper.moments_problem)
    if best is not None:
        with suppress(
            RunError, CheckpointError
        ):  # without validation answers, it stays uncalibrated
            fit = fit_temperature if run.sweep else fit_calibration  # most trials are never used
            recorder.calibration(fit(run, digits), best["epoch"])
        if answers.may_have_seen(run, digits):
            recorder.warn(answers.why_no_test(run))
        elif state.is_final and not run.sweep:
            # A run that can be resumed or that others compete with must not be chosen on test.
            accuracy = answers.read_test(run, best, digits)
            recorder.metrics({"test_accuracy": accuracy}, best["epoch"])
    uploader.finish()
    try:
        if is_shared():
            sharing.publish(run.id, run.folder, uploader.sent, uploader.kept)
    except Exception as error:  # any error of the network or the disk; the run itself is complete
        _log.warning("%s", error, exc_info=not isinstance(error, UserError))
        recorder.warn(f"The run's files could not be copied to the team's store: {error}")
    recorder.end(state, reason)


def main(run_id: str) -> int:
    """Train the run with this id; return 0, or 2 with a message on stderr on a UserError."""
    gc.disable()  # objects of imported modules are never garbage; `_train` enables it again
    load_for_training()
    return process.status_of(lambda: work(catalogue.get(run_id)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

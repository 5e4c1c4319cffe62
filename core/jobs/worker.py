"""One run in its own process: wait for the device, train, keep, stop when asked to.

python -m core.jobs.worker RUN
"""

import gc
import logging
import os
import platform
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckpointError, DataError, RunError, UserError
from core.jobs import process, queue
from core.jobs.recorder import Recorder
from core.runs import catalogue, files
from core.runs.files import BEST, EXTRA, LAST, LOG, START
from core.runs.run import Run, State
from core.runs.store import PATIENCE

if TYPE_CHECKING:  # torch takes 2 s and 500 MB: a run that waits does without
    import numpy as np
    from numpy.typing import NDArray

    from core.data.digits import Digits
    from core.jobs.keeper import Keeper
    from core.training.checkpoint import Checkpoint
    from core.training.events import Ended, Event

_log = logging.getLogger("digitlab")


def work(run: Run) -> Run:
    """Do a run, from its last checkpoint if it has one, and return how it ended.

    Raises RunError if it is complete, in progress elsewhere, deleted meanwhile, or has lost the
    checkpoint to go on from; StoreError if how it ended could not be recorded. A UserError or a bug
    inside ends the run as failed, and is raised again.
    """
    if run.state == State.RUNNING:
        raise RunError(f"The run {run.name} is running already. Stop it first.")
    if run.state.is_final:
        raise RunError(f"The run {run.name} has {run.state}: nothing is left to do. Start another.")
    _fetch(run)
    files.own(run)
    if run.state.is_over:
        catalogue.reopen(run)
    recorder = Recorder(run.id)
    with _logged(run.folder / LOG), _patient(), _stopped_by_signals(recorder):
        recorder.start()
        with ExitStack() as at_the_end:
            at_the_end.callback(recorder.close)
            _take_turn(run, recorder)
    return catalogue.get(run.id)


def _fetch(run: Run) -> None:
    """Have here what a run goes on from, wherever it trained before. Raises RunError, StoreError.

    Without its last checkpoint, it would begin anew beside what the store says of its epochs.
    """
    if run.epochs:
        try:
            files.path(run, LAST)
        except RunError as error:
            raise RunError(
                f"The run {run.name} cannot go on: it completed {run.epochs} epochs, and the "
                f"checkpoint of the last is not here. Resume it where it trained ({run.host}), or "
                "start another."
            ) from error
        for name in (BEST, "validation.npy"):
            with suppress(RunError):
                files.path(run, name)
    if run.taught_from:
        for name in (START, EXTRA):
            files.path(run, name)


def _take_turn(run: Run, recorder: Recorder) -> None:
    """Wait for the device and train, or stop before; what goes wrong is how the run ends."""
    try:
        with queue.turn(queue.folder_for(run.config), run.id, recorder.stopping.is_set) as ours:
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


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Write what is logged to a run's file; without room for it, training goes on all the same."""
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
        with suppress(OSError):  # a full disk did not take the last lines
            handler.close()


@contextmanager
def _patient() -> Iterator[None]:
    """Give a team's store more time to answer: nobody waits here, rather late than never."""
    before = os.environ[PATIENCE]
    os.environ[PATIENCE] = "30"
    try:
        yield
    finally:
        os.environ[PATIENCE] = before


@contextmanager
def _stopped_by_signals(recorder: Recorder) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop the run as a person's Stop does."""
    before = {
        number: signal.signal(number, lambda *_: recorder.stopping.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handle in before.items():
            signal.signal(number, handle)


def _train(run: Run, recorder: Recorder) -> None:
    """Train; what happens goes to the store and to the run's folder."""
    from core.data import mnist
    from core.jobs.keeper import Keeper
    from core.training.loop import train

    recorder.tags({"state": State.RUNNING, "reason": "", "host": platform.node()} | process.code())
    _log.info("training %s", run.config)
    digits = mnist.load(run.data)
    if run.data_checksum not in ("", digits.checksum):
        raise DataError(
            "The data are not those with which this run began. Put them back, or start a new run."
        )
    recorder.tags({"data_checksum": digits.checksum})
    start, extra = _lesson(run) if run.taught_from else (None, None)
    resume = _last(run)
    gc.freeze()  # what has been loaded stays
    gc.enable()
    keeper = Keeper(run)
    for event in train(
        run.config,
        digits,
        start=start,
        extra=extra,
        resume=resume,
        should_stop=recorder.stopping.is_set,
    ):
        _take(event, run, keeper, recorder, digits)


def _lesson(run: Run) -> "tuple[Checkpoint, tuple[NDArray[np.uint8], NDArray[np.uint8]]]":
    """Return the first weights of a taught run, and the digits it learns beside its data's.

    Raises CheckpointError.
    """
    import numpy as np

    from core.training import checkpoint

    with np.load(run.folder / EXTRA, allow_pickle=False) as content:
        digits = content["images"], content["labels"]
    return checkpoint.load(run.folder / START), digits


def _last(run: Run) -> "Checkpoint | None":
    """Return the checkpoint from which a run goes on, if any. Raises CheckpointError."""
    from core.training import checkpoint

    if not (run.folder / LAST).exists():
        return None
    last = checkpoint.load(run.folder / LAST)
    if last["epoch"] < (run.best_epoch or 0):
        raise CheckpointError(
            f"The last checkpoint here is of epoch {last['epoch']}, but the run went on: its best "
            f"epoch is {run.best_epoch}. Resume it where it trained, or start another."
        )
    return last


def _take(event: "Event", run: Run, keeper: "Keeper", recorder: Recorder, digits: "Digits") -> None:
    """Record and keep one event of the training."""
    from core.training.events import Ended, Epoch, Started, Step

    match event:
        case Started():
            recorder.started(event)
        case Step():
            recorder.step(event)
            keeper.step(event)
        case Epoch():
            _log.info(
                f"epoch {event.epoch} of {run.config.epochs}: "
                f"validation accuracy {event.validation_accuracy:.4f}, {event.seconds:.1f} s"
            )
            keeper.epoch(event)  # before it is recorded: the store never knows an epoch more
            recorder.epoch(event)
            if keeper.trouble:
                _log.warning("%s", keeper.trouble)
                recorder.warn(keeper.trouble)
        case Ended():
            _end(event, run, keeper, recorder, digits)


def _end(event: "Ended", run: Run, keeper: "Keeper", recorder: Recorder, digits: "Digits") -> None:
    """Read the test set if this is the true end, publish, and record how the run ended."""
    from core.reading.reader import fit_calibration
    from core.runs import answers

    _log.info("%s %s", event.state, event.reason)
    if recorder.gone.is_set():
        return
    state, reason = State(event.state), event.reason
    if state == State.STOPPED:  # a stop is answered at once; the others end when all is there
        recorder.end(state, reason)
    try:
        best = keeper.close()
    except CheckpointError as error:
        best = None
        recorder.warn(f"The network of the best epoch could not be kept. {error}")
        if state == State.FINISHED:
            state, reason = State.FAILED, f"its best epoch could not be kept. {error}"
    if best is not None:
        with suppress(RunError, CheckpointError):  # without its answers, it stays as it is
            recorder.calibration(fit_calibration(run, digits), best["epoch"])
        if answers.may_have_seen(run, digits):
            recorder.warn(answers.why_no_test(run))
        elif state.is_final:  # what was stopped can go on, and must not be chosen by the test set
            accuracy = answers.read_test(run, best, digits)
            recorder.metrics({"test_accuracy": accuracy}, best["epoch"])
    try:
        files.publish(run.id)
    except Exception as error:  # whatever a network or a disk can raise: the run itself is whole
        _log.warning("%s", error, exc_info=not isinstance(error, UserError))
        recorder.warn(f"The run's files could not be copied to the team's store: {error}")
    recorder.end(state, reason)


def main(run_id: str) -> int:
    """Do the run of this id; return 0, or 2 with a message on stderr on a UserError."""
    gc.disable()  # what libraries make while they load lives on; `_train` collects again
    try:
        work(catalogue.get(run_id))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

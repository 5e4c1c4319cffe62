"""One run in its own process: wait for the device, train, keep, stop when asked to.

python -m core.jobs.worker RUN
"""

import gc
import logging
import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CheckpointError, DataError, RunError, UserError
from core.jobs import queue
from core.runs import catalogue, files
from core.runs.history import EPOCH_METRICS, STEP_METRICS
from core.runs.run import Run, State
from core.runs.store import PATIENCE

if TYPE_CHECKING:  # torch takes 2 s and 500 MB: a run that waits does without
    import numpy as np
    from numpy.typing import NDArray

    from core.training.checkpoint import Checkpoint
    from core.training.events import Epoch
from core.jobs.recorder import Recorder
from core.runs.files import BEST, EXTRA, LAST, LOG, START

_log = logging.getLogger("digitlab")


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
        catalogue.reopen(run)
    run.folder.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(run.folder / LOG)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    patience = os.environ[PATIENCE]
    os.environ[PATIENCE] = "30"  # nobody waits here: rather late than never
    recorder = Recorder(run.id)
    before = {
        number: signal.signal(number, lambda *_: recorder.stopping.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    recorder.start()
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
    finally:
        recorder.close()
        os.environ[PATIENCE] = patience
        for number, handle in before.items():
            signal.signal(number, handle)
        _log.removeHandler(handler)
        handler.close()
    return catalogue.get(run.id)


def _train(run: Run, recorder: "Recorder") -> None:
    """Train and record: the events to the store and TensorBoard, the checkpoints to the folder."""
    from torch.utils.tensorboard import SummaryWriter

    from core.data import mnist
    from core.reading.reader import fit_calibration
    from core.runs import answers
    from core.training import checkpoint
    from core.training.events import Ended, Epoch, Started, Step
    from core.training.loop import train

    recorder.tags({"state": State.RUNNING, "reason": ""})
    _log.info("training %s", run.config)
    digits = mnist.load(run.data)
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
        run.config,
        digits,
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
                for name in STEP_METRICS:
                    board.add_scalar(f"step/{name}", getattr(event, name), event.step)
            case Epoch():
                recorder.epoch(event)
                for name in EPOCH_METRICS:
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
                        recorder.calibration(fit_calibration(run, digits), best["epoch"])
                    accuracy = answers.read_test(run, best, digits)
                    recorder.metrics({"test_accuracy": accuracy}, best["epoch"])
                files.publish(run.id)
                recorder.end(State(event.state), event.reason)


def _extra(path: Path) -> "tuple[NDArray[np.uint8], NDArray[np.uint8]]":
    """Return the images and labels that a run learns beside its data's."""
    import numpy as np

    with np.load(path, allow_pickle=False) as content:
        return content["images"], content["labels"]


def _keep(run: Run, event: "Epoch") -> str:
    """Write an epoch's checkpoint and answers; return what went wrong, for the run goes on."""
    from core.runs import answers
    from core.training import checkpoint

    _log.info(
        f"epoch {event.epoch} of {run.config.epochs}: "
        f"validation accuracy {event.validation_accuracy:.4f}, {event.seconds:.1f} s"
    )
    try:
        checkpoint.save(event.checkpoint, run.folder / LAST)
        if event.is_best:
            checkpoint.save(event.checkpoint, run.folder / BEST)
            answers.save(run.folder, "validation", event.probabilities)
            # What an earlier best epoch of a resumed run said of the test set is not this one's.
            (run.folder / "test.npy").unlink(missing_ok=True)
    except CheckpointError as error:
        _log.warning("%s", error)
        return str(error)
    return ""


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

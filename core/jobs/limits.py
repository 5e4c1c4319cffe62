"""What a visitor of a public demo may train and see; elsewhere there are no limits."""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from core.config import TrainConfig
from core.errors import RunError
from core.jobs import queue
from core.runs import catalogue
from core.runs.person import Person
from core.runs.run import Run, State

EPOCHS = 5
SECONDS = 60.0  # of training
RUNS = 1  # of one visitor, under way or waiting; an experiment counts as one
QUEUE = 5  # of all visitors, under way or waiting
UPLOAD = 4  # MB of a picture or of an archive

SUMMARY = (
    f"Public demo: {EPOCHS} epochs and {SECONDS:.0f} seconds at most; "
    f"one run at a time for each visitor, {QUEUE} in the queue."
)

_entering = threading.Lock()


def is_demo() -> bool:
    """Return whether this is a public demo."""
    return bool(os.environ.get("DIGITLAB_DEMO"))


def check(config: TrainConfig, data: str, by: Person) -> None:
    """Raise RunError if, in a demo, a visitor may not train with these settings."""
    if not is_demo() or by.owns_all:
        return
    if data != "sample":
        raise RunError("The public demo trains on the embedded digits alone. Choose another run.")
    if config.epochs > EPOCHS:
        raise RunError(
            f"The public demo trains for {EPOCHS} epochs at most, not {config.epochs}. Set fewer."
        )


def check_places(by: Person, count: int) -> None:
    """Raise RunError if, in a demo, a visitor may not start `count` trainings now."""
    if not is_demo() or by.owns_all:
        return
    taken = queue.owners()
    if count + taken.count(by.tag) > RUNS:
        raise RunError(
            "In the public demo, each visitor has one run or experiment at a time. Start one seed, "
            "after your last has ended or was stopped."
        )
    if count + len(taken) > QUEUE:
        raise RunError(
            f"{QUEUE} visitors' trainings are under way or wait already. Try again in a minute."
        )


@contextmanager
def place(by: Person) -> Iterator[None]:
    """Let one visitor at a time enter the queue, so that a crowd is counted one by one.

    Raises RunError if, in a demo, the visitor may not start a training now.
    """
    with _entering:
        check_places(by, 1)
        yield


def largest_upload() -> int | None:
    """Return the largest upload in MB in a demo; None elsewhere, where the server's limit holds."""
    return UPLOAD if is_demo() else None


def longest(seconds: float) -> float:
    """Return the most seconds that a training may take: `seconds`, or less in a demo."""
    return min(seconds, SECONDS) if is_demo() else seconds


@contextmanager
def deadline(stopping: threading.Event, seconds: float = SECONDS) -> Iterator[None]:
    """In a demo, set `stopping` when the time for a training is up."""
    timer = threading.Timer(seconds, stopping.set)
    timer.daemon = True
    if is_demo():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def seen(by: Person, runs: Iterable[Run]) -> list[Run]:
    """Return the runs that a person may see: in a demo, their own and finished ones."""
    return [
        run
        for run in runs
        if not is_demo()
        or run.is_builtin
        or run.state is State.FINISHED
        or by.may_change(run.owner)
    ]


def get(by: Person, run_id: str) -> Run:
    """Return a run by its id. Raises StoreError, and RunError if the person may not see it."""
    found = catalogue.get(run_id)
    if not seen(by, [found]):
        raise RunError(
            f"The run {run_id[:12]} is another visitor's, and can be seen once it has finished."
        )
    return found

"""What a visitor of a public demo may train; elsewhere there are no limits."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core.config import TrainConfig
from core.errors import RunError
from core.runs import catalogue
from core.runs.person import Person
from core.runs.run import State

EPOCHS = 5
IMAGES = 4_000  # to learn from: what the embedded digits have
SECONDS = 60.0  # of training
RUNS = 1  # of one visitor, under way or waiting
QUEUE = 5  # runs that wait

SUMMARY = (
    f"Public demo: {EPOCHS} epochs, {IMAGES:,} images and {SECONDS:.0f} seconds at most; "
    f"one run at a time for each visitor, {QUEUE} in the queue."
)


def is_demo() -> bool:
    """Return whether this is a public demo."""
    return bool(os.environ.get("DIGITLAB_DEMO"))


def check(config: TrainConfig, data: str, by: Person, count: int = 1) -> None:
    """Raise RunError if, in a demo, a visitor may not start so many of these runs now."""
    if not is_demo() or by.owns_all:
        return
    if data != "sample":
        raise RunError("The public demo trains on the embedded digits alone. Choose another run.")
    if config.epochs > EPOCHS:
        raise RunError(
            f"The public demo trains for {EPOCHS} epochs at most, not {config.epochs}. Set fewer."
        )
    if config.train_size > IMAGES:
        raise RunError(
            f"The public demo learns from {IMAGES:,} images at most, not {config.train_size:,}. "
            "Set fewer."
        )
    runs = catalogue.in_progress()
    if count + sum(run.owner == by.tag for run in runs) > RUNS:
        raise RunError(
            "In the public demo, each visitor has one run at a time. Start one seed, after your "
            "last run has ended or was stopped."
        )
    if sum(run.state is State.QUEUED for run in runs) >= QUEUE:
        raise RunError(f"{QUEUE} runs are waiting already. Try again in a minute.")


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

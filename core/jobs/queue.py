"""One training at a time on a device: the others wait in the order they were asked for.

A run holds its place by a ticket, a file named by the time it was asked for, which says that it
waits. Its process writes its number into it and holds a lock on it, which the operating system lets
go of when the process dies. So the first ticket whose lock is held is the run whose turn it is, and
a dead process never holds up the queue. An empty ticket is nobody's: who looks whether a lock is
held makes the file anew if its run has just ended.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core.config import TrainConfig
from core.errors import RunError, StoreError
from core.runs.store import directory
from core.training.device import queue_name

_POLL = 0.2  # seconds between two looks at the queue
_WAITS = "waits"
_GRACE = 60.0  # seconds a ticket stands for a process that has yet to start


def folder_for(config: TrainConfig) -> Path:
    """Return the queue that a run with these settings waits in: one for each kind of device."""
    return directory() / "queue" / queue_name(config.device)


def enter(folder: Path, run_id: str) -> None:
    """Take a place in the queue for a run, at its end; the process that will run it may follow.

    Raises StoreError without space or permission.
    """
    partial = folder.with_name(f"{folder.name}-{run_id}.partial")  # never a ticket without its word
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(_WAITS)
        partial.replace(folder / f"{time.time_ns():020}-{run_id}")
    except OSError as error:
        raise StoreError(
            f"The queue {folder} cannot be written: {error.strerror}. Make space, or set "
            "DIGITLAB_RUNS to another folder."
        ) from error


def leave(folder: Path, run_id: str) -> None:
    """Give up the place of a run whose process has died; one that a process holds stays."""
    for ticket in folder.glob(f"*-{run_id}"):
        with suppress(Timeout, FileNotFoundError), FileLock(ticket, timeout=0):
            ticket.unlink()


@contextmanager
def turn(
    folder: Path, run_id: str, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[bool]:
    """Wait until every run that was asked for earlier is over, then hold the device.

    Gives True when it is this run's turn; False, at once, if `should_stop` says so before.
    Raises RunError if another process holds this run's place.
    """
    if not list(folder.glob(f"*-{run_id}")):
        enter(folder, run_id)
    ticket = next(folder.glob(f"*-{run_id}"))
    lock = FileLock(ticket)
    try:
        lock.acquire(timeout=2)  # others hold it for moments, to see whether it is held
    except Timeout:
        raise RunError("Another process is at work on this run. Stop it first.") from None
    try:
        with suppress(OSError):  # a full disk: the lock alone says that the place is held
            ticket.write_text(str(os.getpid()))
        while any(_stands(other) for other in _before(ticket)) and not should_stop():
            time.sleep(_POLL)
        yield not should_stop()
    finally:
        ticket.unlink(missing_ok=True)
        lock.release()


def _before(ticket: Path) -> list[Path]:
    return [other for other in ticket.parent.iterdir() if other.name < ticket.name]


def _stands(ticket: Path) -> bool:
    """Whether a ticket is held by a living process, or may soon be; one that is not is removed."""
    try:
        age = time.time() - ticket.stat().st_mtime
        with FileLock(ticket, timeout=0):
            if ticket.read_text() == _WAITS and age < _GRACE:
                return True
            ticket.unlink()
            return False
    except Timeout:
        return True
    except FileNotFoundError:
        return False

"""A queue for each kind of device: one training at a time, in the order of the requests.

A run's place in the queue is a ticket: a file named after the time of the request, with the
person's tag in its second line. The run's process locks its ticket and writes its process id into
the first line. The operating system releases the lock when the process dies, so a dead process
never blocks the queue. The first locked ticket is the run whose turn it is. Probing a lock may
recreate a deleted ticket; such a ticket is empty, and ignored.
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

_POLL = 0.2  # seconds between two checks of the queue
_WAITS = "waits"
_GRACE = 60.0  # seconds for which a ticket is valid before its process has started


def folder_for(config: TrainConfig) -> Path:
    """Return the folder of the queue in which a run with these settings waits."""
    return directory() / "queue" / queue_name(config.device)


def enter(folder: Path, run_id: str, owner: str = "") -> None:
    """Append a run to the queue; its process may start later. `owner` is a person's tag.

    Raises StoreError without space or permission.
    """
    partial = folder.with_name(f"{folder.name}-{run_id}.partial")  # a ticket is never seen empty
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(f"{_WAITS}\n{owner}")
        partial.replace(folder / f"{time.time_ns():020}-{run_id}")
    except OSError as error:
        raise StoreError(
            f"The queue {folder} cannot be written: {error.strerror}. Make space, or set "
            "DIGITLAB_RUNS to another folder."
        ) from error


def leave(folder: Path, run_id: str) -> None:
    """Remove a run whose process has died from the queue; a locked ticket is not removed."""
    for ticket in folder.glob(f"*-{run_id}"):
        with suppress(Timeout, FileNotFoundError), FileLock(ticket, timeout=0):
            ticket.unlink()


def before(folder: Path, run_id: str) -> list[str]:
    """Return the ids of the runs ahead of a run in the queue, in order; none if it is not there."""
    tickets = list(folder.glob(f"*-{run_id}"))
    others = sorted(_before(tickets[0])) if tickets else []
    return [other.name.partition("-")[2] for other in others if _is_valid(other)]


def owner(folder: Path, run_id: str) -> str:
    """Return the tag of the person who requested a run in the queue; empty if none, or gone."""
    for ticket in folder.glob(f"*-{run_id}"):
        with suppress(FileNotFoundError):  # it has just ended
            return ticket.read_text().partition("\n")[2]
    return ""


def owners() -> list[str]:
    """Return the owner's tag of every ticket in any queue; a person with two is there twice."""
    found = []
    for ticket in (directory() / "queue").glob("*/*"):
        if _is_valid(ticket):
            with suppress(FileNotFoundError):  # its training has just ended
                found.append(ticket.read_text().partition("\n")[2])
    return found


@contextmanager
def turn(
    folder: Path, run_id: str, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[bool]:
    """Wait until all earlier runs in the queue are over, then reserve the device.

    Yields True when it is this run's turn, or False as soon as `should_stop` returns True.
    Raises RunError if another process has locked this run's ticket.
    """
    if not list(folder.glob(f"*-{run_id}")):
        enter(folder, run_id)
    ticket = next(folder.glob(f"*-{run_id}"))
    lock = FileLock(ticket)
    try:
        lock.acquire(timeout=2)  # other processes lock it for moments, to probe it
    except Timeout:
        raise RunError("Another process is training this run already. Stop it first.") from None
    try:
        with suppress(OSError):  # on a full disk, the lock alone marks the place as taken
            owner = ticket.read_text().partition("\n")[2]
            ticket.write_text(f"{os.getpid()}\n{owner}")
        while any(_is_valid(other) for other in _before(ticket)) and not should_stop():
            time.sleep(_POLL)
        yield not should_stop()
    finally:
        ticket.unlink(missing_ok=True)
        lock.release()


def _before(ticket: Path) -> list[Path]:
    return [other for other in ticket.parent.iterdir() if other.name < ticket.name]


def _is_valid(ticket: Path) -> bool:
    """Return whether a living process holds a ticket, or may soon hold it; else remove it."""
    try:
        age = time.time() - ticket.stat().st_mtime
        with FileLock(ticket, timeout=0):
            if ticket.read_text().partition("\n")[0] == _WAITS and age < _GRACE:
                return True
            ticket.unlink()
            return False
    except Timeout:
        return True
    except FileNotFoundError:
        return False

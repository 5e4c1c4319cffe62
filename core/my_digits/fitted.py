"""Networks fitted to a person's handwriting: their paths, what fitting needs, and undoing it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from core.my_digits import collection
from core.runs.person import Person
from core.runs.run import Run
from core.runs.store import directory

NEEDED = 2  # of each digit


def missing(labels: Iterable[int]) -> str:
    """Return which digits are still needed, as "1 × 3, 2 × 7"; empty if there are enough."""
    present = list(labels)
    more = {digit: NEEDED - present.count(digit) for digit in range(10)}
    return ", ".join(f"{count} × {digit}" for digit, count in more.items() if count > 0)


def path_for(run: Run, by: Person) -> Path:
    """Return the path of a run's network fitted to a person's handwriting; it may not exist.

    The path depends on the best epoch, since a fitted network is made from it.
    """
    return path_of(hashlib.sha256(f"{by.tag} {run.id} {run.best_epoch}".encode()).hexdigest()[:32])


def path_of(name: str) -> Path:
    """Return the path of a fitted network by its name: 32 hexadecimal digits, hard to guess."""
    return directory() / "fitted" / f"{name}.pt"


def is_older(path: Path, by: Person) -> bool:
    """Return whether a person's digits have changed since the network was fitted to them."""
    folder = collection.folder(by.tag)
    return folder.is_dir() and path.stat().st_mtime < folder.stat().st_mtime


def undo(run: Run, by: Person) -> None:
    """Delete the network that was fitted to a person, so that the run reads for them again."""
    path_for(run, by).unlink(missing_ok=True)

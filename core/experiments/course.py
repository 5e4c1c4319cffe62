"""The course of an experiment: its events, written by its process and read by pages.

A course is a file of JSON lines in the store's folder. It outlives the page, and everybody who
opens an experiment at the same time watches the same course.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import StoreError
from core.runs.store import directory

DIED = "Its process has died. Run it again."
CANCELLED = "It was cancelled. Run it again."
_SILENCE = 60.0  # seconds without a sign of life after which a process counts as dead
_KEPT = 3600.0  # seconds for which a course is kept after its last change


@dataclass(frozen=True)
class Bars:
    """Groups of bars with one bar per series; `values` are shares in [0, 1], a list per series."""

    title: str
    groups: list[str]
    values: dict[str, list[float]]


@dataclass(frozen=True)
class Dots:
    """Dots in [0, 1], one per repetition and series; one repetition may be marked."""

    name: str  # a later finding of the same name replaces this one, though its title differs
    title: str
    values: dict[str, list[float]]
    marked: int | None = None


@dataclass(frozen=True)
class Tiles:
    """Pictures, `(N, 28, 28)` in [0, 255], each with a caption, in `columns`."""

    title: str
    images: list[list[list[float]]]
    captions: list[str]
    columns: int

    def pixels(self) -> NDArray[np.uint8]:
        """Return the pictures as an array."""
        return np.array(self.images, np.uint8)


Finding = Bars | Dots | Tiles
_KINDS: dict[str, Callable[..., Finding]] = {"bars": Bars, "dots": Dots, "tiles": Tiles}


@dataclass
class Lane:
    """One run so far. `steps` are (epoch, accuracy); `epochs` (epoch, training, validation)."""

    steps: list[tuple[float, float]] = field(default_factory=list)
    epochs: list[tuple[int, float, float]] = field(default_factory=list)
    state: str = ""  # finished, stopped or diverged; empty until then
    reason: str = ""


@dataclass
class Course:
    """An experiment so far. Accuracies are in [0, 1]."""

    lanes: list[Lane]
    findings: dict[str, Finding]
    begun: bool = False  # its turn in the queue has come
    over: bool = False
    problem: str = ""
    seconds: float = 0.0


class Writer:
    """Appends to a course's file, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, kind: str, **values: Any) -> None:
        """Append one line. Raises OSError."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, **values}, allow_nan=False) + "\n")

    def finding(self, finding: Finding) -> None:
        """Append a finding; it replaces an earlier one of the same name, or title if unnamed."""
        kind = next(kind for kind, made in _KINDS.items() if isinstance(finding, made))  # type: ignore[arg-type]
        self.write(kind, **asdict(finding))

    def alive(self) -> None:
        """Show that the process is alive while there is nothing to write."""
        os.utime(self._path)


def folder() -> Path:
    """Return the folder of the courses."""
    return directory() / "experiments"


def path_of(name: str) -> Path:
    """Return the file of a course. Its name is the experiment's, a dash and a time."""
    return folder() / f"{name}.jsonl"


def create(slug: str) -> str:
    """Create the file of a new course and return its name; old ones are removed.

    Raises StoreError without space or permission.
    """
    name = f"{slug}-{time.time_ns()}"
    try:
        folder().mkdir(parents=True, exist_ok=True)
        for old in folder().iterdir():
            with suppress(FileNotFoundError):
                if time.time() - old.stat().st_mtime > _KEPT:
                    old.unlink()
        path_of(name).touch()
    except OSError as error:
        raise StoreError(
            f"The experiment cannot be written to {folder()}: {error.strerror}. Free some space, "
            "or set DIGITLAB_RUNS to another folder."
        ) from error
    return name


def cancel(name: str) -> None:
    """Mark a course as cancelled: it is over, and its process ends. Raises StoreError."""
    try:
        _mark(name).touch()
    except OSError as error:
        raise StoreError(f"The experiment cannot be cancelled: {error.strerror}.") from error


def is_cancelled(name: str) -> bool:
    """Return whether a course is marked as cancelled."""
    return _mark(name).exists()


def _mark(name: str) -> Path:
    return folder() / f"{name}.cancelled"


def going_on(slug: str) -> str | None:
    """Return the name of this experiment's course that is in progress, if there is one."""
    for path in sorted(folder().glob(f"{slug}-*.jsonl"), reverse=True):
        if path.stem.removeprefix(f"{slug}-").isdecimal():
            found = read(path.stem, 0)
            if found and not found.over:
                return path.stem
    return None


def read(name: str, runs: int) -> Course | None:
    """Return the course so far of an experiment with `runs` runs; None if it was removed."""
    path = path_of(name)
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        age = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None
    course = Course([Lane() for _ in range(runs)], {})
    for line in lines:
        if line.endswith("\n"):  # the last one may be half written
            _take(course, json.loads(line))
    if not course.over and is_cancelled(name):
        course.over, course.problem = True, CANCELLED
    elif not course.over and age > _SILENCE:
        course.over, course.problem = True, DIED
    return course


def _take(course: Course, line: dict[str, Any]) -> None:
    """Add one line's event to a course."""
    kind = line.pop("kind")
    course.begun = True
    if kind in _KINDS:
        course.findings[line.get("name", line["title"])] = _KINDS[kind](**line)
    elif kind == "over":
        course.over, course.problem, course.seconds = True, line["problem"], line["seconds"]
    elif kind in ("step", "epoch", "end") and line["run"] < len(course.lanes):
        lane = course.lanes[line["run"]]
        if kind == "step":
            lane.steps.append((line["epoch"], line["accuracy"]))
        elif kind == "epoch":
            lane.epochs.append((line["epoch"], line["training"], line["validation"]))
        else:
            lane.state, lane.reason = line["state"], line["reason"]

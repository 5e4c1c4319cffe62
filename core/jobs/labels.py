"""Judge all labels of a data set: request it, follow its progress, and read what was found.

The folds are trained by a process of their own, `core.jobs.judge`, once for each data set: what
they say is kept in the store's folder under the data's checksum.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import recipes
from core.config import TrainConfig
from core.data.digits import Digits
from core.errors import DataError, RunError, StoreError
from core.evaluation import labels as ranking
from core.evaluation.labels import Suspects
from core.jobs import limits, process, queue, request
from core.jobs.whole import write_whole
from core.runs.person import OWNER, Person
from core.runs.store import directory

# Of the folds' networks: chance alone ranks an ambiguous digit by a hundred places, means less so.
SEEDS = (0, 1, 2)
MANY = 20_000  # images from which one pass is enough to learn from
DIED = "The process that judges the labels has died. Start it again."
TICKET = "labels-"  # with which its name in the queue begins, before the data's checksum
_SILENCE = 60.0  # seconds without a sign of life after which a process counts as dead


@dataclass(frozen=True)
class Work:
    """Judging under way, or what ended it: `share` done in [0, 1], `problem` empty until it fails.

    `waits` is true until the device is free.
    """

    share: float = 0.0
    waits: bool = True
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Judgment:
    """What the folds say of all images, the training images first, and how long they took.

    `probabilities` are `(N, 10)`; `quality (N,)` is `core.evaluation.labels.quality` of them.
    """

    probabilities: NDArray[np.float32]
    quality: NDArray[np.float64]
    seconds: float


def recipe(images: int) -> TrainConfig:
    """Return the settings of one fold's training among so many images: fast, not the best."""
    few = {"epochs": 5, "batch_size": 64, "learning_rate": 0.01} if images <= MANY else {}
    return recipes.RECIPES["fast_990"].config.changed({**few, "validation_size": 10})


def start(digits: Digits, by: Person = OWNER) -> None:
    """Start to judge the labels, unless that is under way. Raises RunError in a public demo."""
    if limits.is_demo() and not by.owns_all:
        raise RunError(
            "The public demo does not judge labels: it takes a processor for too long. Run Digit "
            "Lab on your own machine."
        )
    now = work(digits.checksum)
    if now and not now.problem:
        return
    tell(digits.checksum, Work())
    ticket = f"{TICKET}{digits.checksum}"
    folder = queue.folder_for(recipe(0))
    queue.enter(folder, ticket)

    def died() -> None:
        with suppress(StoreError):
            queue.leave(folder, ticket)
            tell(digits.checksum, Work(problem=DIED))

    process.launch(
        "core.jobs.judge", digits.source, environment=request.worker_environment(), died=died
    )


def tell(checksum: str, now: Work) -> None:
    """Write how far judging has come. Raises StoreError without space or permission."""
    content = {"share": now.share, "waits": now.waits, "problem": now.problem}
    path = _progress(checksum)
    write_whole(path, lambda partial: partial.write_text(json.dumps(content)), _unwritten(path))


def alive(checksum: str) -> None:
    """Give a sign of life while there is no progress to report."""
    with suppress(FileNotFoundError):
        os.utime(_progress(checksum))


def work(checksum: str) -> Work | None:
    """Return how far judging has come, or what ended it; None if it is not under way."""
    path = _progress(checksum)
    try:
        found = Work(**json.loads(path.read_text()))
        silent = time.time() - path.stat().st_mtime > _SILENCE
    except FileNotFoundError:
        return None
    return Work(problem=DIED) if silent and not found.problem else found


def keep(checksum: str, found: Judgment) -> None:
    """Keep what the folds say of a data set. Raises StoreError."""

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **asdict(found))

    path = _result(checksum)
    write_whole(path, save, _unwritten(path))
    _progress(checksum).unlink(missing_ok=True)


def judged(checksum: str) -> bool:
    """Return whether the labels of a data set were judged already."""
    return _result(checksum).exists()


def result(digits: Digits) -> Judgment:
    """Return what the folds say. Raises DataError if nothing was kept, or it is damaged."""
    path = _result(digits.checksum)
    count = len(digits.train_labels) + len(digits.test_labels)
    try:
        with np.load(path, allow_pickle=False) as content:
            found = Judgment(
                content["probabilities"], content["quality"], float(content["seconds"])
            )
        if found.probabilities.shape != (count, 10) or found.quality.shape != (count,):
            raise ValueError("it is of other images")
        if not np.isfinite(found.probabilities).all() or not np.isfinite(found.quality).all():
            raise ValueError("it has no numbers")
    except FileNotFoundError:
        raise DataError(
            "The labels of these data were not judged yet. Start it on the Data page, under "
            "Labels, or with python -m core labels."
        ) from None
    except Exception as error:  # numpy and zipfile raise all kinds of errors for damaged files
        raise DataError(f"{path} is damaged. Delete it, and judge the labels again.") from error
    return found


def suspects(digits: Digits) -> Suspects:
    """Return all images, the most suspicious label first. Raises DataError, as `result` does."""
    found = result(digits)
    truth = np.concatenate([digits.train_labels, digits.test_labels])
    return ranking.suspects(found.probabilities, truth, found.quality)


def folder() -> Path:
    """Return the folder of what was found, which may not exist yet."""
    return directory() / "labels"


def _result(checksum: str) -> Path:
    return folder() / f"{checksum}.npz"


def _progress(checksum: str) -> Path:
    return folder() / f"{checksum}.json"


def _unwritten(path: Path) -> str:
    return f"{path} cannot be written"

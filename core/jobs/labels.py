"""Judge all labels of a data set: request it, follow its progress, and read the result.

A separate process, `core.jobs.judge`, trains the folds once for each data set. The result is kept
in the store's folder under the data's checksum.
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
from core.runs.person import OWNER, Person
from core.runs.store import directory
from core.whole import store_whole

# Of the folds' networks. With one seed, chance moves an ambiguous digit by a hundred ranks; a mean
# over several moves less.
SEEDS = (0, 1, 2)
MANY = 20_000  # with more images than this, one epoch is enough
DIED = "The process that judges the labels has died. Start it again."
TICKET = "labels-"  # its name in the queue is this, and then the data's checksum
_SILENCE = 60.0  # seconds without a sign of life after which a process counts as dead


@dataclass(frozen=True)
class Work:
    """The progress of judging: `share` done in [0, 1], and `problem` if it has failed.

    `waits` is true until the device is free.
    """

    share: float = 0.0
    waits: bool = True
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Judgment:
    """The folds' answers for all images, training images first, and the time that they took.

    `probabilities` are `(N, 10)`; `quality (N,)` is their `core.evaluation.labels.quality`.
    """

    probabilities: NDArray[np.float32]
    quality: NDArray[np.float64]
    seconds: float


def recipe(images: int) -> TrainConfig:
    """Return the settings for training one fold of a data set of `images`: fast, not the best."""
    small = {"epochs": 5, "batch_size": 64, "learning_rate": 0.01}
    large = {"epochs": 1, "batch_size": 256, "learning_rate": 0.02}
    fixed = {"optimizer": "adamw", "train_size": 0, "validation_size": 10}
    sized = small if images <= MANY else large
    return recipes.RECIPES["fast_990"].config.changed({**fixed, **sized})


def start(digits: Digits, by: Person = OWNER) -> None:
    """Start judging the labels, unless that is in progress. Raises RunError in a public demo."""
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
    """Write the progress of judging. Raises StoreError without space or permission."""
    content = {"share": now.share, "waits": now.waits, "problem": now.problem}
    path = _progress(checksum)
    store_whole(path, lambda partial: partial.write_text(json.dumps(content)), _unwritten(path))


def alive(checksum: str) -> None:
    """Show that the process is alive while there is no progress to report."""
    with suppress(FileNotFoundError):
        os.utime(_progress(checksum))


def work(checksum: str) -> Work | None:
    """Return the progress of judging, or why it failed; None if it is not in progress."""
    path = _progress(checksum)
    try:
        found = Work(**json.loads(path.read_text()))
        silent = time.time() - path.stat().st_mtime > _SILENCE
    except FileNotFoundError:
        return None
    return Work(problem=DIED) if silent and not found.problem else found


def keep(checksum: str, found: Judgment) -> None:
    """Save the folds' answers for a data set. Raises StoreError."""

    def save(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **asdict(found))

    path = _result(checksum)
    store_whole(path, save, _unwritten(path))
    _progress(checksum).unlink(missing_ok=True)


def judged(checksum: str) -> bool:
    """Return whether the labels of a data set have been judged."""
    return _result(checksum).exists()


def result(digits: Digits) -> Judgment:
    """Return the folds' answers. Raises DataError if there are none, or the file is damaged."""
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
    """Return the folder of the results, which may not exist yet."""
    return directory() / "labels"


def _result(checksum: str) -> Path:
    return folder() / f"{checksum}.npz"


def _progress(checksum: str) -> Path:
    return folder() / f"{checksum}.json"


def _unwritten(path: Path) -> str:
    return f"{path} cannot be written"

"""People's notes on labels: right, wrong, or can't tell; a file for each person and data set.

To train without the images whose labels are noted wrong, a copy of the notes is kept under its
checksum, which is one of the run's settings. So the run can be repeated, whatever is noted later.
The copy is deleted with the last run that uses it.
"""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from core.data.digits import Digits
from core.errors import DataError, StoreError
from core.runs.person import OWNER, Person
from core.runs.store import directory
from core.whole import store_whole

VERDICTS = ("right", "wrong", "can't tell")
MOST_BYTES = 4_000_000  # of a file of notes; one on all 70,000 images has 2 MB

_NAME = re.compile(r"[0-9a-f]{32}")

Image = tuple[str, int]  # split, `train` or `test`, and index in that split
Notes = dict[Image, str]


def load(data: str, owner: str = OWNER.tag) -> Notes:
    """Return a person's notes on the data with this checksum. Raises DataError if damaged."""
    path = _own(data, owner)
    return _parsed(path.read_bytes(), path, data) if path.exists() else {}


def note(image: Image, verdict: str | None, data: str, by: Person = OWNER) -> None:
    """Save a verdict on an image's label, one of VERDICTS, or remove it with None.

    Raises DataError if the file is damaged, and StoreError if it cannot be written.
    """
    path = _own(data, by.tag)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(_unwritable(path, error)) from error
    with FileLock(path.with_suffix(".lock")):
        notes = load(data, by.tag)
        if verdict is None:
            notes.pop(image, None)
        else:
            notes[image] = verdict
        _write(path, as_bytes(notes, data))


def as_bytes(notes: Notes, data: str) -> bytes:
    """Return notes as JSON, in the order of the images; equal notes give equal bytes."""
    content = {
        split: {str(index): notes[split, index] for part, index in sorted(notes) if part == split}
        for split in ("train", "test")
    }
    return (json.dumps({"data": data, **content}, indent=1) + "\n").encode()


def frozen(data: str, by: Person = OWNER) -> str:
    """Save a copy of a person's notes as they are now; return its checksum.

    Raises DataError, StoreError.
    """
    content = as_bytes(load(data, by.tag), data)
    checksum = _checksum(content)
    path = _copy(checksum)
    if not path.exists():
        _write(path, content)
    return checksum


def forget(checksum: str) -> None:
    """Delete the copy with this checksum, unless somebody's notes are still the same.

    That person may be about to start a run that uses the copy.
    """
    path = _copy(checksum)
    if _NAME.fullmatch(checksum) and path.exists():
        own = folder().glob("people/*/*.json")
        if not any(_checksum(notes.read_bytes()) == checksum for notes in own):
            path.unlink(missing_ok=True)


def left_out(checksum: str, digits: Digits) -> NDArray[np.int64]:
    """Return the indices of the training images that the notes with this checksum call wrong.

    Raises DataError if the notes are not on this machine, or are on other data.
    """
    path = _copy(checksum)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            f"The notes on labels {checksum} are not on this machine. Download them where they "
            f"were made and put the file at {path}, or train with every image."
        ) from None
    if _checksum(content) != checksum:
        raise DataError(_damaged(path))
    notes = _parsed(content, path, digits.checksum)
    wrong = sorted(
        index for (part, index), verdict in notes.items() if (part, verdict) == ("train", "wrong")
    )
    if wrong and wrong[-1] >= len(digits.train_labels):
        raise DataError(_damaged(path))
    return np.array(wrong, np.int64)


def folder() -> Path:
    """Return the folder of all notes, which may not exist yet."""
    return directory() / "label-notes"


def _checksum(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _own(data: str, owner: str) -> Path:
    return folder() / "people" / owner / f"{data}.json"


def _copy(checksum: str) -> Path:
    return folder() / f"{checksum}.json"


def _damaged(path: Path) -> str:
    return f"{path} is damaged. Put back the file that was downloaded, or delete it."


def _parsed(content: bytes, path: Path, data: str) -> Notes:
    """Return the notes in a file. Raises DataError if it is damaged, or on other data."""
    try:
        if len(content) > MOST_BYTES:
            raise ValueError("it is too large")
        found = json.loads(content)
        of_other_data = found["data"] != data
        notes = {(part, int(i)): v for part in ("train", "test") for i, v in found[part].items()}
        if not all(index >= 0 and v in VERDICTS for (_, index), v in notes.items()):
            raise ValueError("it has another word")
    except Exception as error:  # whatever a value of an unexpected type raises
        raise DataError(_damaged(path)) from error
    if of_other_data:
        raise DataError(
            f"The notes in {path} are on other data than these. Train on the data that they were "
            "made on, or with every image."
        )
    return notes


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises StoreError without space or permission."""
    store_whole(path, lambda partial: partial.write_bytes(content), f"{path} cannot be written")


def _unwritable(path: Path, error: OSError) -> str:
    return (
        f"{path} cannot be written: {error.strerror}. Free some space, or set DIGITLAB_RUNS to "
        "another folder."
    )

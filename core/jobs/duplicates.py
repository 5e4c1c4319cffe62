"""Search a data set for near-duplicates: in a process of its own, once for each data set.

What it finds is kept in the store's folder under the data's checksum.

python -m core.jobs.duplicates SOURCE
"""

import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from core.data import duplicates, mnist
from core.data.digits import Digits
from core.data.duplicates import Neighbors
from core.errors import RunError, StoreError, UserError
from core.jobs import limits, process, request
from core.runs.store import directory

_DIED = "The search has died. Start it again."
_SILENCE = 60.0  # seconds without progress after which a process counts as dead


def start(digits: Digits) -> None:
    """Start the search, unless one is in progress. Raises RunError in a public demo, StoreError."""
    if limits.is_demo() and digits.source != "sample":
        raise RunError("The public demo searches the sample alone. Use Digit Lab on your machine.")
    if share(digits) is not None:
        return
    _write(_progress(digits), b"0")

    def died() -> None:
        with suppress(StoreError):
            _write(_progress(digits), _DIED.encode())

    process.launch(
        "core.jobs.duplicates", digits.source, environment=request.worker_environment(), died=died
    )


def share(digits: Digits) -> float | None:
    """Return how much of the search is done, in [0, 1]; None if none is in progress."""
    status = _status(digits)
    return None if status is None or isinstance(status, str) else status


def problem(digits: Digits) -> str:
    """Return why the last search ended without a result; empty if it did not."""
    status = _status(digits)
    return status if isinstance(status, str) else ""


def _status(digits: Digits) -> float | str | None:
    """Return the share done, or the sentence that a search ended with; None without a search."""
    path = _progress(digits)
    try:
        status, silent = path.read_text(), time.time() - path.stat().st_mtime > _SILENCE
    except OSError:
        return None
    try:
        return _DIED if silent else float(status)
    except ValueError:
        return status


def result(digits: Digits) -> Neighbors | None:
    """Return what was found; None if the data were not searched, or the file is damaged."""
    count = len(digits.train_images) + len(digits.test_images)
    try:
        with _result(digits).open("rb") as file, np.load(file, allow_pickle=False) as content:
            found = Neighbors(content["number"], content["difference"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    whole = found.number.shape == found.difference.shape == (count, 2)
    return found if whole and found.number.max() < count and found.number.min() >= 0 else None


def search(digits: Digits) -> None:
    """Search in this process and keep what is found. Raises StoreError."""
    for step in duplicates.search(digits):
        if isinstance(step, Neighbors):
            partial = _result(digits).with_suffix(".partial")
            try:
                partial.parent.mkdir(parents=True, exist_ok=True)
                with partial.open("wb") as file:
                    np.savez(file, number=step.number, difference=step.difference)
                partial.replace(_result(digits))
            except OSError as error:
                raise _unwritten(error) from error
            _progress(digits).unlink(missing_ok=True)
        else:
            _write(_progress(digits), f"{step:.3f}".encode())


def _result(digits: Digits) -> Path:
    return directory() / "duplicates" / f"{digits.checksum}.npz"


def _progress(digits: Digits) -> Path:
    return directory() / "duplicates" / f"{digits.checksum}.progress"


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole. Raises StoreError."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise _unwritten(error) from error


def _unwritten(error: OSError) -> StoreError:
    return StoreError(
        f"The near-duplicates could not be written: {error.strerror}. Free some space, or set "
        "DIGITLAB_RUNS to another folder."
    )


def main(source: str) -> int:
    """Search a source, unless another process does; return 0, or 2 on a UserError."""
    return process.status_of(lambda: _search_alone(source))


def _search_alone(source: str) -> None:
    from threadpoolctl import threadpool_limits

    digits = mnist.load(source)
    try:
        with FileLock(_result(digits).with_suffix(".lock"), timeout=0), threadpool_limits(1):
            search(digits)  # with two threads of its own, each with one of the products
    except Timeout:
        return
    except UserError as error:
        with suppress(StoreError):
            _write(_progress(digits), str(error).encode())
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

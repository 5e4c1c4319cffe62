"""Compute something about a data set once, in a separate process, and keep it for everybody.

The result is kept in the store's folder under the data's checksum, so that it is never confused
with the result for other data.
"""

import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from core.data.digits import Digits
from core.errors import StoreError, UserError
from core.jobs import process, request
from core.runs.store import directory
from core.whole import store_whole

_SILENCE = 60.0  # seconds without progress after which a process counts as dead

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Computation:
    """One thing to compute: `module` is run with the data's source and, if given, the part.

    `name` is the folder that keeps the results; `what` names the result in messages.
    """

    name: str
    module: str
    what: str
    digits: Digits
    part: str = ""

    def start(self) -> None:
        """Start the process, unless it is running. Raises StoreError, and RunError."""
        if self.share is not None:
            return
        self.tell("0")

        def died() -> None:
            with suppress(StoreError):
                self.tell(self._died)

        process.launch(
            self.module,
            self.digits.source,
            *filter(None, [self.part]),
            environment=request.worker_environment(),
            died=died,
        )

    @property
    def share(self) -> float | None:
        """The share that is done, in [0, 1]; None if no process is running."""
        told = self._told()
        return None if isinstance(told, str) else told

    @property
    def problem(self) -> str:
        """Why the last process failed; empty if it did not."""
        told = self._told()
        return told if isinstance(told, str) else ""

    def tell(self, told: str) -> None:
        """Write the share that is done, or why the process failed. Raises StoreError."""
        store_whole(self.progress, lambda path: path.write_text(told), self._unwritten)

    def keep(self, arrays: Arrays) -> None:
        """Save the result, and delete the progress. Raises StoreError."""

        def save(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle

        store_whole(self.kept, save, self._unwritten)
        self.progress.unlink(missing_ok=True)

    def arrays(self) -> Arrays | None:
        """Return the saved result; None if there is none, or it is damaged."""
        try:
            with self.kept.open("rb") as file, np.load(file, allow_pickle=False) as content:
                return {name: content[name] for name in content.files}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def alone(self, work: Callable[[], None]) -> int:
        """Do the process's work, unless another process is doing it; return the exit status."""

        def locked() -> None:
            try:
                with FileLock(self.kept.with_suffix(".lock"), timeout=0):
                    work()
            except Timeout:
                return
            except UserError as error:
                with suppress(StoreError):
                    self.tell(str(error))
                raise

        return process.status_of(locked)

    @property
    def kept(self) -> Path:
        """The file of the result."""
        return self._path("npz")

    @property
    def progress(self) -> Path:
        """The file of the progress; its age is the time since the process last showed life."""
        return self._path("progress")

    @property
    def _died(self) -> str:
        return f"The process for the {self.what} has died. Start it again."

    @property
    def _unwritten(self) -> str:
        return f"The {self.what} could not be written"

    def _path(self, ending: str) -> Path:
        key = "-".join(filter(None, [self.digits.checksum, self.part]))
        return directory() / self.name / f"{key}.{ending}"

    def _told(self) -> float | str | None:
        """Return the share done, or why the process failed; None if there is no process."""
        try:
            told = self.progress.read_text()
            silent = time.time() - self.progress.stat().st_mtime > _SILENCE
        except OSError:
            return None
        try:
            return self._died if silent else float(told)
        except ValueError:
            return told

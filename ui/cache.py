"""What all sessions share and loads slowly: the digits, trained networks, answers. All bounded."""

import contextlib
import gc
import importlib
import threading
from typing import TYPE_CHECKING

import streamlit as st

from core.data import mnist
from core.data.digits import Digits
from core.errors import DataError, UserError
from core.evaluation.calibration import Calibration
from core.my_digits import collection
from core.my_digits.collection import Collection
from core.runs import answers, catalogue
from core.runs.answers import Result
from core.runs.history import History, read_history
from core.runs.run import Run
from core.runs.store import connect

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reader
    from core.training.device import Device

_HEAD_START = 2.5  # seconds that a first page takes at most to be drawn
_SLOW = ("core.training.loop",)  # with torch, 2 s; MLflow takes another 1.5 s


@st.cache_resource(max_entries=2, show_spinner="Loading the digits …")
def digits(source: str) -> Digits:
    """Return the digits of a source. Raises DataError."""
    return mnist.load(source)


def digits_in_use() -> tuple[Digits, str]:
    """Return the digits in use, and what is wrong with the full set if the sample stands in."""
    try:
        return digits(mnist.source()), ""
    except DataError as error:
        return digits("sample"), str(error)


def digits_for(run: Run) -> Digits:
    """Return the data that a run is asked about; for the built-in network, those in use.

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
def device() -> "Device":
    """Return the device and precision that `auto` means here."""
    from core.training.device import choose

    return choose()


def reader(run: Run) -> "Reader":
    """Return a run's network of its best epoch, ready to read. Raises RunError, CheckpointError."""
    return _reader(run.id, run.best_epoch, run.calibration)


@st.cache_resource(max_entries=4, show_spinner="Opening the network …")
def _reader(run_id: str, best_epoch: int | None, calibration: Calibration) -> "Reader":
    from core.reading.reader import calibrated_reader

    return calibrated_reader(catalogue.get(run_id))


def result(run: Run, split: str) -> Result:
    """Return a run's answers on a split. Raises RunError."""
    mine_then = collection.names() if split == collection.SPLIT else ()
    return _result(run.id, run.best_epoch, split, digits_for(run).source, mine_then)


@st.cache_resource(max_entries=6, show_spinner="Reading the answers …")
def _result(
    run_id: str, best_epoch: int | None, split: str, source: str, mine_then: tuple[str, ...]
) -> Result:
    run = catalogue.get(run_id)
    if split == collection.SPLIT:
        kept = collection.load_some()
        return answers.on_images(run, kept.images, kept.labels)
    return answers.of(run, split, digits(source))


def history(run: Run) -> History:
    """Return a run's metrics so far; those of a run that is over are read once. May be StoreError.

    A run that goes on after its end takes more steps, and is read anew.
    """
    return _history(run.id, run.step, run.epochs) if run.state.is_over else read_history(run)


@st.cache_data(max_entries=50, show_spinner=False)
def _history(run_id: str, step: int, epochs: int) -> History:
    return read_history(catalogue.get(run_id))


def my_digits() -> Collection:
    """Return all digits that are kept, decoded once. Raises InkError where one cannot be read."""
    return _my_digits(collection.names())


@st.cache_data(max_entries=1, show_spinner=False)
def _my_digits(names: tuple[str, ...]) -> Collection:
    return collection.load()

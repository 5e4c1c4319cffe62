"""Caches shared by all sessions, all bounded: digits, trained networks, answers, figures."""

import contextlib
import gc
import importlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data import mnist
from core.data.digits import Digits
from core.errors import DataError, UserError
from core.evaluation.calibration import Calibration
from core.my_digits import collection, fitted, hands
from core.my_digits.collection import Collection
from core.my_digits.hands import Hand
from core.runs import answers, catalogue, files
from core.runs.answers import Result
from core.runs.history import History, read_history
from core.runs.person import Person
from core.runs.run import Run
from core.runs.store import connect

if TYPE_CHECKING:  # torch takes 2 s
    from plotly.graph_objects import Figure

    from core.export.terms import File
    from core.reading.forming import Formation
    from core.reading.reader import Reader
    from core.training.device import Device

_HEAD_START = 2.0  # seconds, enough for a browser to show the first page
_SLOW = ("core.training.loop",)  # with torch, 2 s; MLflow takes another 1.5 s


@st.cache_resource(max_entries=2, show_spinner="Loading the digits …")
def digits(source: str) -> Digits:
    """Return the digits of a source. Raises DataError."""
    return mnist.load(source)


def digits_in_use() -> tuple[Digits, str]:
    """Return the digits in use, and if the sample replaces the full set, the full set's error."""
    try:
        return digits(mnist.source()), ""
    except DataError as error:
        return digits("sample"), str(error)


def digits_for(run: Run) -> Digits:
    """Return the data to evaluate a run on: its own, or those in use if it is from elsewhere.

    Raises DataError if they are missing.
    """
    return digits_in_use()[0] if run.is_from_elsewhere else digits(run.data)


class WarmUp(threading.Thread):
    """Imports slow modules while the first page is shown."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._drawn, self._wanted = threading.Event(), threading.Event()

    def run(self) -> None:
        """Wait until the first page is shown, since Python's threads take turns; then load."""
        self._drawn.wait()
        self._wanted.wait(_HEAD_START)
        gc.disable()  # objects of imported modules are never garbage
        try:
            for module in _SLOW:
                importlib.import_module(module)
            # A failing store is reported by the page that needs it.
            with contextlib.suppress(UserError), connect():
                pass
        finally:
            gc.freeze()
            gc.enable()

    def begin(self) -> None:
        """Load soon: the first page has been drawn."""
        self._drawn.set()

    def wait(self) -> None:
        """Load now, and return when everything is loaded."""
        self._wanted.set()
        self._drawn.set()
        self.join()


@st.cache_resource
def warm_up() -> WarmUp:
    """Return the thread that imports slow modules; it ends when everything is loaded.

    It begins soon after a page has been drawn, or when a page waits for it.
    """
    thread = WarmUp()
    thread.start()
    return thread


def wait_for_torch() -> None:
    """Show a spinner until PyTorch is loaded."""
    thread = warm_up()
    if thread.is_alive():
        with st.spinner("Loading PyTorch …"):
            thread.wait()


@st.cache_resource(show_spinner=False)
def device() -> "Device":
    """Return the device and precision that `auto` means on this machine."""
    from core.training.device import choose

    return choose()


def reader(run: Run, hand: Person | None = None) -> "Reader":
    """Return a reader for a run's best network, or for the network fitted to `hand`, if any.

    Raises RunError, CheckpointError.
    """
    if hand and (path := fitted.path_for(run, hand)).exists():
        return _reader(
            run.id, files.network_epoch(run), run.calibration, path, path.stat().st_mtime_ns
        )
    return _reader(run.id, files.network_epoch(run), run.calibration)


@st.cache_resource(max_entries=4, show_spinner="Opening the network …")
def _reader(
    run_id: str,
    epoch: int | None,
    calibration: Calibration,
    path: Path | None = None,
    changed: int = 0,
) -> "Reader":
    from core.reading.reader import calibrated_reader

    return calibrated_reader(catalogue.get(run_id), path)


def result(run: Run, split: str) -> Result:
    """Return a run's answers on a split. Raises RunError."""
    return _result(run.id, files.network_epoch(run), split, digits_for(run).source)


@st.cache_resource(max_entries=6, show_spinner="Reading the answers …")
def _result(run_id: str, epoch: int | None, split: str, source: str) -> Result:
    return answers.of(catalogue.get(run_id), split, digits(source))


def formation(run: Run) -> "Formation":
    """Return how a run's network formed. Raises RunError if it kept no moments, CheckpointError."""
    path = files.path(run, files.FORMING)
    return _formation(run.id, path.stat().st_mtime_ns)


@st.cache_resource(max_entries=4, show_spinner=False)
def _formation(run_id: str, changed: int) -> "Formation":
    from core.reading.forming import formation

    run = catalogue.get(run_id)
    return formation(run, digits(run.data))


def drawn(run: Run, people: Sequence[Hand]) -> tuple[Result, NDArray[np.intp]]:
    """Return a run's answers on people's digits, and the index of each digit's person, `(N,)`.

    Digits on a shelf are not cached, so that they end with the session. Raises RunError, InkError.
    """
    if any(hand.shelf is not None for hand in people):
        return _read(run.id, people)
    return _drawn(run.id, files.network_epoch(run), tuple(people))


@st.cache_resource(max_entries=6, show_spinner="Reading the digits …")
def _drawn(
    run_id: str, epoch: int | None, people: tuple[Hand, ...]
) -> tuple[Result, NDArray[np.intp]]:
    return _read(run_id, people)


def _read(run_id: str, people: Sequence[Hand]) -> tuple[Result, NDArray[np.intp]]:
    found, whose = hands.load(people)
    return answers.on_images(catalogue.get(run_id), found.images, found.labels), whose


def people_digits(people: Sequence[Hand]) -> tuple[Collection, NDArray[np.intp]]:
    """Return people's digits, and the index of each digit's person, `(N,)`.

    Digits on a shelf are not cached. Raises InkError.
    """
    if any(hand.shelf is not None for hand in people):
        return hands.load(people)
    return _people_digits(tuple(people))


@st.cache_resource(max_entries=2, show_spinner=False)
def _people_digits(people: tuple[Hand, ...]) -> tuple[Collection, NDArray[np.intp]]:
    return hands.load(people)


def history(run: Run) -> History:
    """Return a run's metrics so far, cached once the run has ended. Raises StoreError.

    A resumed run makes more steps, so it is read again.
    """
    if not run.state.is_over:
        return read_history(run)
    return _history(run.id, run.step, run.epochs, run)


@st.cache_data(max_entries=50, show_spinner=False)
def _history(run_id: str, step: int, epochs: int, _run: Run) -> History:
    return read_history(_run)


def my_digits(person: Person) -> Collection:
    """Return all digits of a person; those in a folder are decoded only once.

    Raises InkError if one cannot be read.
    """
    if person.shelf is not None:
        return collection.load(person.shelf)
    return _my_digits(person.tag, collection.names(person.tag))


@st.cache_data(max_entries=30, show_spinner=False)
def _my_digits(owner: str, names: tuple[str, ...]) -> Collection:
    return collection.load(owner)


def bundle(run: Run) -> tuple[list["File"], bytes]:
    """Return the files of a run's export, and the ZIP of them. Raises RunError, CheckpointError."""
    return _bundle(run.id, run.name, run.best_epoch, run.state)


@st.cache_resource(max_entries=3, show_spinner="Exporting the network and checking it …")
def _bundle(
    run_id: str, name: str, best_epoch: int | None, state: str
) -> tuple[list["File"], bytes]:
    from core.export import bundle

    made = bundle.files(catalogue.get(run_id))
    return made, bundle.packed(made)


@st.cache_resource(max_entries=40, show_spinner=False)
def probability_bars(probabilities: NDArray[np.float32], truth: int | None) -> "Figure":
    """Return `digits.probability_bars`, which takes 5 ms, cached: do not change the figure."""
    from core.figures import digits as figures

    return figures.probability_bars(probabilities, truth)

"""Choose the digit for the Inside page: drawn, uploaded, a test digit, or one from Evaluate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.digits import Digits
from core.errors import InkError
from core.ink.normalization import Digit
from ui import format, keys
from ui.components.tiles import tile
from ui.draw import inputs

_DRAW, _UPLOAD, _TEST, _MISREAD = "Draw", "Upload", "Test digit", "From Evaluate"


@dataclass(frozen=True, eq=False)
class Chosen:
    """A digit `(28, 28)` in [0, 1], and its label if it is known."""

    image: NDArray[np.float32]
    truth: int | None = None


def open_inside(run_id: str, image: NDArray[np.uint8], truth: int, title: str) -> None:
    """Go to the Inside page with a digit from Evaluate and the run that reads it."""
    st.session_state[keys.RUN] = run_id
    st.session_state[keys.INSIDE_DIGIT] = {"image": image, "truth": truth, "title": title}
    st.session_state[keys.INSIDE_SOURCE] = _MISREAD
    st.switch_page("../pages/inside.py")


def choose(digits: Digits) -> Chosen | None:
    """Show the choice of a source, and the digit; return it, or None if there is none yet."""
    brought = st.session_state.get(keys.INSIDE_DIGIT)
    modes = [*([_MISREAD] if brought else []), _TEST, _DRAW, _UPLOAD]
    if st.session_state.get(keys.INSIDE_SOURCE) not in modes:
        drawn = (st.session_state.get(keys.DRAWING) or {}).get("objects")
        st.session_state[keys.INSIDE_SOURCE] = _DRAW if drawn else _TEST
    mode = st.segmented_control(
        "Which digit",
        modes,
        key=keys.INSIDE_SOURCE,
        persist_state="session",
        required=True,
        help="Draw a digit, upload a picture, take a test digit, or bring one from Evaluate: click "
        "it there, then See inside.",
    )
    if brought and mode == _MISREAD:
        return _brought(brought)
    if mode == _TEST:
        digit, truth = inputs.from_test_set(digits)
        tile(digit.image, width=168, caption=f"A {truth}")
        return Chosen(digit.image, truth)
    try:
        found = inputs.drawn() if mode == _DRAW else inputs.uploaded()
    except InkError as error:
        st.info(format.message(error), icon=":material/draw:")
        return None
    return _one_of(found)


def _brought(digit: dict[str, Any]) -> Chosen:
    tile(digit["image"], width=168, caption=f"A {digit['truth']}")
    st.caption(format.plain(digit["title"]))
    return Chosen(digit["image"].astype(np.float32) / 255, digit["truth"])


def _one_of(found: list[Digit]) -> Chosen | None:
    """Return the only digit, or the one selected of several."""
    if not found:
        return None
    several = len(found) > 1
    place = inputs.choose_digit(len(found), "Look into digit", "inside-digit") if several else 0
    return Chosen(found[place].image)

"""The ways a digit gets in: drawn, uploaded, or taken from the test set."""

import random

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import ink
from core.data import Digits
from ui.canvas import canvas

_CHOICE = "random-digit"  # index of the test digit shown


def drawn() -> NDArray[np.float32] | None:
    """Let a person draw; return the digit as the model sees it, `(28, 28)` in [0, 1], or None."""
    drawing = canvas()
    if drawing is None:
        return None
    return ink.from_strokes(drawing)


def uploaded() -> NDArray[np.float32] | None:
    """Let a person upload a picture; return the digit in it, or None. Raises InkError."""
    file = st.file_uploader(
        "Picture of one digit",
        ["png", "jpg", "jpeg", "webp"],
        help="Dark on light or light on dark, up to 16 MB and 40 megapixels. It stays in this "
        "server's memory and is not kept.",
    )
    if file is None:
        return None
    digit = ink.from_picture(file.getvalue())
    st.image(file, width=280)
    return digit


def from_test_set(digits: Digits) -> tuple[NDArray[np.float32], int]:
    """Show how to get another test digit; return this one and what it is."""
    total = len(digits.test_labels)
    if st.session_state.get(_CHOICE, total) >= total:
        st.session_state[_CHOICE] = random.randrange(total)  # noqa: S311  # nothing secret
    if st.button(
        "Another digit",
        icon=":material/shuffle:",
        help="Take another of the test set's digits, which no run has learned from.",
    ):
        st.session_state[_CHOICE] = random.randrange(total)  # noqa: S311
    index = st.session_state[_CHOICE]
    st.caption(f"Test digit {index:,}")
    return digits.test_images[index].astype(np.float32) / 255, int(digits.test_labels[index])

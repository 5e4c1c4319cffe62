"""Cover a part of the digit with gray, and see what the network answers without it."""

import zlib

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui import keys
from ui.components.brush import brush, is_lifted, pixels

_KEY = "inside-brush"


def cover(image: NDArray[np.float32]) -> None:
    """Show a (28, 28) digit in [0, 1] to paint on, and the button that uncovers it.

    After a stroke, `keys.INSIDE_REDRAW` says that the layers have to be redrawn too.
    """
    kept = _kept(image)

    def paint() -> None:
        state = st.session_state.get(_KEY)
        kept["pixels"] = pixels(state)
        st.session_state[keys.INSIDE_REDRAW] = is_lifted(state)

    def uncover() -> None:
        kept["pixels"] = frozenset()
        st.session_state[keys.INSIDE_REDRAW] = True

    brush(image, kept["pixels"], _KEY, on_covered=paint)
    st.button(
        "Uncover",
        key="inside-uncover",
        icon=":material/restart_alt:",
        disabled=not kept["pixels"],
        on_click=uncover,
        help="Paint over a part of the digit, and the answer changes at once. A covered pixel gets "
        "the mean brightness of all digits, which tells the network nothing.",
    )


def left_of(image: NDArray[np.float32], gray: float) -> NDArray[np.float32]:
    """Return a (28, 28) digit with `gray` in [0, 1] where it is covered, or itself if it is not."""
    covered = _kept(image)["pixels"]
    if not covered:
        return image
    left = image.copy()
    left.reshape(-1)[list(covered)] = gray
    return left


def _kept(image: NDArray[np.float32]) -> dict[str, frozenset[int]]:
    """Return the covered pixels of a digit; they are reset when another digit is selected."""
    digit = zlib.crc32(image.tobytes())
    kept = st.session_state.get(keys.INSIDE_COVERED)
    if kept is None or kept["of"] != digit:
        kept = st.session_state[keys.INSIDE_COVERED] = {"of": digit, "pixels": frozenset()}
    return kept

"""What the built-in network reads on the first page's canvas."""

from typing import Any

import numpy as np
import streamlit as st

from core.errors import InkError
from core.ink.strokes import from_drawing
from core.runs import builtin
from ui import cache, format
from ui.components.tiles import strip

_HEIGHT = 124  # CSS pixels, always, so that nothing below moves when a digit has been read
_TILE = 56


def answer(drawing: dict[str, Any] | None) -> None:
    """Show what the network reads in the canvas's drawing, and the digits as it sees them."""
    with st.container(height=_HEIGHT, border=False, gap="small", key="home-answer"):
        if drawing is None:
            st.caption("Use the mouse, a pen or a finger. The answer appears here.")
            return
        try:
            digits = from_drawing(drawing)
        except InkError as error:
            st.markdown(format.message(error))
            return
        cache.wait_for_torch()
        images = np.stack([digit.image for digit in digits])
        read = cache.reader(builtin.run()).readings(images)
        words = (
            format.reading(read[0])
            if len(read) == 1
            else format.several([digit.row for digit in digits], read)
        )
        st.markdown(f"### {words}")
        strip(images, [""] * len(images), columns=8, width=_TILE)

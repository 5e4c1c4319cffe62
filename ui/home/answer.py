"""The built-in network's answer to the drawing on the Home page."""

from typing import Any

import numpy as np
import streamlit as st

from core.errors import InkError
from core.ink.normalization import Digit
from core.ink.strokes import from_drawing
from core.reading.answer import in_words
from core.runs import builtin
from ui import cache, format, people
from ui.components.early_reading import TILE, WORDS, read_early
from ui.components.tiles import strip

_HEIGHT = 124  # CSS pixels; always the same, so that nothing below moves when a digit is read
_TILE = 56


def answer(drawing: dict[str, Any] | None) -> None:
    """Show what the network reads in the canvas's drawing, and the digits as it sees them."""
    run, me = builtin.run(), people.me()
    with st.container(height=_HEIGHT, border=False, gap="small", key="home-answer"):
        words = st.container(key=WORDS, gap=None)
        digits: list[Digit] = []
        with words:
            if drawing is None:
                st.caption("Use the mouse, a pen or a finger. The answer appears here.")
            else:
                try:
                    digits = from_drawing(drawing)
                except InkError as error:
                    st.markdown(format.message(error))
        if digits:
            cache.wait_for_torch()
            images = np.stack([digit.image for digit in digits])
            words.markdown(f"### {in_words(digits, cache.reader(run, me).readings(images))}")
            with st.container(key=TILE):
                strip(images, [""] * len(images), columns=8, width=_TILE)
        with words:
            read_early(run, me, drawing, len(digits), 0)

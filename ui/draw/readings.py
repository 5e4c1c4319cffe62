"""Show a network's reading of one digit, or of several, row by row."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.figures.digits import probability_bars
from core.ink.normalization import Digit
from core.reading import one_or_two
from core.reading.answer import doubts, in_words, share
from core.runs.person import Person
from core.runs.run import Run
from ui import cache, keys
from ui.components.chart import chart
from ui.components.early_reading import BARS, TILE, WORDS, read_early
from ui.components.tiles import strip, tile
from ui.draw import inputs

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reading


def readings(
    run: Run,
    found: list[Digit],
    *,
    truth: int | None = None,
    hand: Person | None = None,
    drawn: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Show the answer in words, the digits as the network sees them, and one digit's probabilities.

    `truth` is the label of a test image, `hand` the person who drew the digits. If the digits are
    `drawn` on the canvas, reading continues while more is drawn. Returns the selected image,
    (28, 28) in [0, 1], and its probabilities, (10,).
    """
    digits, read = one_or_two.read_all(cache.reader(run, hand), found)
    images = [digit.image for digit in digits]
    words = st.container(key=WORDS, gap=None)
    with words:
        st.markdown(f"### {in_words(digits, read, truth)}")
        if len(digits) > 1:
            st.caption(doubts(read))
    chosen = _several(digits, read) if len(images) > 1 else 0
    _one(images[chosen], read[chosen].probabilities, truth)
    if drawn:
        with words:
            read_early(run, hand, st.session_state[keys.DRAWING], len(digits), chosen)
    return images[chosen], read[chosen].probabilities


def none_yet(run: Run, hand: Person, text: str) -> None:
    """Show a hint, with an empty tile and bars that are filled while somebody draws."""
    with st.container(key=WORDS, gap=None):
        st.info(text, icon=":material/draw:")
        read_early(run, hand, st.session_state[keys.DRAWING], 0, 0)
    _one(np.zeros((28, 28), np.float32), np.zeros(10, np.float32), None)


def _one(image: NDArray[np.float32], probabilities: NDArray[np.float32], truth: int | None) -> None:
    input_image, bars = st.columns([1, 2])
    with input_image:
        caption = "What the network sees" if image.any() else "Nothing yet"
        with st.container(key=TILE):
            tile(image, width=196, caption=caption)
        st.caption("What the network sees, 28 × 28 pixels")
    with bars:
        chart(probability_bars(probabilities, truth), BARS, height=280)


def _several(digits: list[Digit], read: "list[Reading]") -> int:
    """Show all digits; return the index of the selected one."""
    captions = [f"{one.digit}, {share(one.confidence)}" for one in read]
    strip(np.stack([digit.image for digit in digits]), captions, columns=8, width=84)
    return inputs.choose_digit(
        len(digits), "Look at digit", "digit", "Selects the digit that is shown below."
    )

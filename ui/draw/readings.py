"""Show a network's reading of one digit, or of several, row by row."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.figures.digits import probability_bars
from core.ink.normalisation import Digit
from core.runs.run import Run
from ui import cache, format
from ui.components.chart import chart
from ui.components.tiles import strip, tile

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reading


def readings(
    run: Run, digits: list[Digit], truth: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Show the answer in words, the digits as the network sees them, and one's probabilities.

    `truth` is the label of a test image. Returns the selected image, (28, 28) in [0, 1], and its
    probabilities, (10,).
    """
    images = np.stack([digit.image for digit in digits])
    read = cache.reader(run).readings(images)
    if len(images) == 1:
        st.markdown(f"### {format.reading(read[0], truth)}")
        chosen = 0
    else:
        chosen = _several(digits, read)
    input_image, bars = st.columns([1, 2])
    with input_image:
        tile(images[chosen], width=196, caption="What the network sees")
        st.caption("What the network sees, 28 × 28 pixels")
    with bars:
        chart(probability_bars(read[chosen].probabilities, truth), "draw-bars", height=280)
    return images[chosen], read[chosen].probabilities


def _several(digits: list[Digit], read: "list[Reading]") -> int:
    """Show the number that each row of digits forms; return the index of the selected digit."""
    st.markdown(f"### {format.several([digit.row for digit in digits], read)}")
    doubts = [
        f"digit {place}: "
        + (format.either(one.candidates) if one.looks_like_a_digit else "may not be a digit")
        for place, one in enumerate(read, 1)
        if not one.sure
    ]
    st.caption(f"Not sure of {', '.join(doubts)}." if doubts else "Sure of each digit.")
    captions = [f"{one.digit}, {format.share(one.confidence)}" for one in read]
    strip(np.stack([digit.image for digit in digits]), captions, columns=8, width=84)
    place = st.segmented_control(
        "Look at digit",
        range(len(digits)),
        format_func=lambda place: f"{place + 1}",
        default=0,
        required=True,
        key=f"digit-of-{len(digits)}",
        help="Selects the digit that is shown below.",
    )
    return int(place)

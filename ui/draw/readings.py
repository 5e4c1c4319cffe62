"""What a network reads in one digit, or in several, row by row."""

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
    """Show the answer in words, the digits as the model sees them, and one's probabilities.

    `truth` is known of a test digit. Returns the image looked at, (28, 28), and its probabilities,
    (10,).
    """
    images = np.stack([digit.image for digit in digits])
    read = cache.reader(run).readings(images)
    if len(images) == 1:
        st.markdown(f"### {format.reading(read[0], truth)}")
        chosen = 0
    else:
        chosen = _several(digits, read)
    seen, bars = st.columns([1, 2])
    with seen:
        tile(images[chosen], width=196, caption="What the model sees")
        st.caption("What the model sees, 28 × 28")
    with bars:
        chart(probability_bars(read[chosen].probabilities, truth), "draw-bars", height=280)
    return images[chosen], read[chosen].probabilities


def _several(digits: list[Digit], read: "list[Reading]") -> int:
    """Show the number that each row of digits makes; return which digit to look at."""
    rows = [""] * (1 + max(digit.row for digit in digits))
    for digit, one in zip(digits, read, strict=True):
        rows[digit.row] += str(one.digit)
    st.markdown(f"### It says {', '.join(rows)}")
    doubts = [
        f"digit {place}: "
        + (format.either(one.candidates) if one.looks_like_a_digit else "it may not be one")
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
        help="Which one the 28 × 28 and the probabilities below are of.",
    )
    return int(place)

"""What a network reads in one digit, or in several side by side."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.evaluation.calibration import candidates
from core.figures.digits import probability_bars
from core.runs.run import Run
from ui import cache, format
from ui.components.chart import chart
from ui.components.tiles import strip, tile


def readings(
    run: Run, images: NDArray[np.float32], truth: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Show the answer in words, the digits as the model sees them, and one's probabilities.

    `images` is (N, 28, 28) in [0, 1], left to right; `truth` is known of a test digit. Returns the
    one looked at, (28, 28), and its probabilities, (10,).
    """
    from core.reading import non_digits  # torch takes 2 s

    reader = cache.reader(run)
    answers = reader.read(images)
    sure_from, are_digits = reader.calibration.sure_from, non_digits.are_digits(images)
    if len(images) == 1:
        st.markdown(f"### {format.reading(answers[0], sure_from, bool(are_digits[0]), truth)}")
        chosen = 0
    else:
        chosen = _several(images, answers, sure_from, are_digits)
    seen, bars = st.columns([1, 2])
    with seen:
        tile(images[chosen], width=196, caption="What the model sees")
        st.caption("What the model sees, 28 × 28")
    with bars:
        chart(probability_bars(answers[chosen], truth), "draw-bars", height=280)
    return images[chosen], answers[chosen]


def _several(
    images: NDArray[np.float32],
    answers: NDArray[np.float32],
    sure_from: float,
    are_digits: NDArray[np.bool_],
) -> int:
    """Show the number that the digits make; return which of them to look at."""
    st.markdown(f"### It says {''.join(str(answer) for answer in answers.argmax(axis=1))}")
    doubts = [
        f"digit {place}: {' or '.join(map(str, candidates(answer))) if is_digit else 'may be none'}"
        for place, (answer, is_digit) in enumerate(zip(answers, are_digits, strict=True), 1)
        if answer.max() < sure_from or not is_digit
    ]
    st.caption(f"Not sure of {', '.join(doubts)}." if doubts else "Sure of each digit.")
    captions = [f"{answer.argmax()}, {format.share(answer.max())}" for answer in answers]
    strip(images, captions, columns=8, width=84)
    place = st.segmented_control(
        "Look at digit",
        range(len(images)),
        format_func=lambda place: f"{place + 1}",
        default=0,
        required=True,
        key=f"digit-of-{len(images)}",
        help="Which one the 28 × 28 and the probabilities below are of.",
    )
    return int(place)

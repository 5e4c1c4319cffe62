"""The smallest change of a digit that changes its answer."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.figures.digits import probability_bars
from core.reading.answer import share
from core.runs.run import Run
from ui import cache
from ui.components.chart import chart
from ui.components.maps import picture

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reader

_TILE = 168
_DIGITS = 200  # test digits that are changed at once


def fool(run: Run, reader: "Reader", image: NDArray[np.float32]) -> None:
    """Change a (28, 28) image in [0, 1] towards another answer, as far as a slider says."""
    from core.reading import fooling, layers

    now = layers.answer(reader, layers.outputs(reader, image))
    answer, second = (int(digit) for digit in np.argsort(-now)[:2])
    target = st.segmented_control(
        "Make it answer",
        [digit for digit in range(10) if digit != answer],
        default=second,
        key=f"inside-target-{answer}-{second}",
        required=True,
        help="Every pixel changes a little, in the direction that helps this digit most. These are "
        "steps of the fast gradient sign method.",
    )
    found = fooling.fool(reader, image, int(target))
    far = st.slider(
        "Change of each pixel, at most",
        *(0.0, fooling.STEPS * fooling.STEP),
        step=fooling.STEP,
        key="inside-epsilon",
        persist_state="session",
        help="ε, as a share of the range from black to white.",
    )
    at = round(far / fooling.STEP)
    digit = int(found.probabilities[at].argmax())
    confidence = share(float(found.probabilities[at, digit]))
    st.markdown(f"### Now it answers {digit} ({confidence})")
    st.markdown(
        f"The smallest change that makes it answer {target}: **{found.flip * fooling.STEP:.2f}**."
        if found.flip is not None
        else f"Even {fooling.STEPS * fooling.STEP:.2f} does not make it answer {target}."
    )
    _pictures(image, found.images[at])
    chart(probability_bars(found.probabilities[at]), "inside-fooled", height=200)
    _many(run, reader)


def _pictures(image: NDArray[np.float32], changed: NDArray[np.float32]) -> None:
    figures = "".join(
        f'<figure style="margin: 0">{picture(values, caption, width=_TILE)}'
        f'<figcaption style="font-size: 0.8rem">{caption}</figcaption></figure>'
        for values, caption in (
            (image, "The digit"),
            (changed - image, "The change: orange lighter, blue darker"),
            (changed, "Together"),
        )
    )
    st.html(f'<div style="display: flex; gap: 16px; flex-wrap: wrap">{figures}</div>')


def _many(run: Run, reader: "Reader") -> None:
    """Offer the same for many test digits, with a single step each."""
    if not st.button(
        f"Try {_DIGITS} test digits",
        key="inside-many",
        icon=":material/groups:",
        help="Change each by one step away from the right answer, with four step sizes.",
    ):
        return
    from core.reading import fooling

    digits = cache.digits_for(run)
    shares = fooling.still_right(reader, digits.test_images[:_DIGITS], digits.test_labels[:_DIGITS])
    st.markdown(
        "\n".join(
            f"- At ε = {epsilon:g}, **{right:.1%}** are read right.".replace("%", " %")
            for epsilon, right in shares.items()
        )
    )

"""The explanation of an answer: pixels for and against it, and similar training digits."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import UserError
from core.figures.digits import evidence
from core.runs import catalogue, learned
from core.runs.person import Person
from core.runs.run import Run
from ui import cache, format
from ui.components.chart import chart
from ui.components.tiles import strip

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.explanation import SimilarDigits
    from core.reading.reader import Reader


def why(
    run: Run,
    image: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    truth: int | None = None,
    hand: Person | None = None,
) -> None:
    """Offer an explanation of the answer `probabilities` (10,) to `image` (28, 28) in [0, 1].

    `hand` is the person for whom the network was fitted, if it was.
    """
    if not st.toggle(
        "Why?",
        key="why",
        persist_state="session",
        help="Show which pixels speak for the answer, and the training digits that look most "
        "similar to the network. The first time takes some seconds.",
    ):
        return
    if run.why_sealed:
        st.caption(format.plain(run.why_sealed))
        return
    cache.wait_for_torch()
    answer, second = (int(digit) for digit in np.argsort(-probabilities)[:2])
    rival = second if truth in (None, answer) else truth
    pixels, digits = st.columns(2, gap="medium")
    with pixels:
        _pixels(cache.reader(run, hand), cache.digits_for(run).source, image, answer, rival)
    with digits:
        _alike(run, image, answer)


def _pixels(
    reader: "Reader", source: str, image: NDArray[np.float32], answer: int, rival: int
) -> None:
    from core.reading import explanation

    values = explanation.evidence(reader, image, _mean(source), answer, rival)
    st.markdown(f"**{explanation.sentence(image, values, answer, rival)}**")
    chart(
        evidence(image, values, answer, rival),
        "why-pixels",
        height=390,
        caption="Missing ink counts too. Method: integrated gradients, from the mean digit.",
    )


def _alike(run: Run, image: NDArray[np.float32], answer: int) -> None:
    digits = cache.digits_for(run)
    try:
        indices, cosines = _learned(run.id, run.best_epoch, digits.source).nearest(image)
    except UserError as error:  # nobody knows any more which images it learned from
        st.caption(f"The most similar training digits are not available: {format.message(error)}")
        return
    labels = digits.train_labels[indices]
    st.caption("The most similar training digits, by the last hidden layer")
    captions = [
        f"{label}, {cosine:.2f}" for label, cosine in zip(labels, cosines.tolist(), strict=True)
    ]
    strip(digits.train_images[indices], captions, columns=5, width=84)
    same = int((labels == answer).sum())
    st.caption(
        f"{same} of {len(labels)} have the label {answer}. Below each: its label, and the cosine "
        f"similarity of its features. Training images {', '.join(f'{n:,}' for n in indices)}."
    )


@st.cache_data(max_entries=2, show_spinner=False)
def _mean(source: str) -> NDArray[np.float32]:
    images = cache.digits(source).train_images
    return np.asarray(images.mean(axis=0) / 255, np.float32)


@st.cache_resource(max_entries=2, show_spinner="Looking through the training digits …")
def _learned(run_id: str, best_epoch: int | None, source: str) -> "SimilarDigits":
    """Return the searchable images that a run learned from."""
    from core.reading.explanation import SimilarDigits

    run, digits = catalogue.get(run_id), cache.digits(source)
    return SimilarDigits(cache.reader(run), digits.train_images, learned.images(run, digits))

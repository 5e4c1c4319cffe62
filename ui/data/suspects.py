"""Suspicious labels: judge all labels, see the progress, and look through the result."""

import numpy as np
import streamlit as st

from core.data import selection
from core.data.digits import Digits
from core.errors import DataError
from core.evaluation.labels import Suspects
from core.jobs import labels, limits
from core.runs import label_notes
from ui import cache, format, guards, keys, people
from ui.components.gallery import gallery
from ui.data import paging, verdicts
from ui.data.browse import HEIGHT

_MARKS = {"right": " ✓", "wrong": " ✗", "can't tell": " ?"}
_EVERY = 1.0  # seconds between two updates of the progress
_SECONDS = {"sample": "10 to 40 seconds", "mnist": "half a minute to two minutes"}


def show(digits: Digits) -> None:
    """Show the most suspicious labels, or offer to look for them."""
    if labels.judged(digits.checksum):
        _found(digits)
    elif limits.is_demo() and not people.me().owns_all:
        st.markdown(_WHAT)
        st.caption("This is not available in the public demo: it takes too much computing time.")
    else:
        now = labels.work(digits.checksum)
        going = now is not None and not now.problem
        st.fragment(_judge, run_every=_EVERY if going else None)(digits, going)


_WHAT = (
    "People wrote the digits, and people labeled them, so some labels are wrong. To find them, the "
    "images are divided into five parts. Networks that learned from four parts read the fifth, "
    "which they never saw. Where they are sure of a digit other than the label, look for yourself."
)


def _judge(digits: Digits, was_going: bool) -> None:
    """Show the progress of judging, or the button that starts it."""
    now = labels.work(digits.checksum)
    going = now is not None and not now.problem
    if going != was_going or (was_going and labels.judged(digits.checksum)):
        st.rerun()  # it began or ended: update the interval, or show the result
    st.markdown(_WHAT)
    if now and going:
        text = "It starts when the processor is free …" if now.waits else "Judging the labels …"
        st.progress(now.share, text)
        st.caption("It continues when you leave this page.")
        return
    if now and now.problem:
        st.warning(format.message(now.problem), icon=":material/warning:")
    if st.button(
        "Judge all labels",
        key="judge-labels",
        type="primary",
        icon=":material/fact_check:",
        help="Train fifteen small networks, each on four fifths of all images. The result is kept "
        "for everybody here.",
    ):
        with guards.messages():
            labels.start(digits, people.me())
        st.rerun()
    count = len(digits.train_labels) + len(digits.test_labels)
    st.caption(f"{format.count(count)} images take {_SECONDS[digits.source]} on two cores.")


@st.cache_resource(max_entries=2, show_spinner="Ranking the labels …")
def _suspects(source: str) -> Suspects:
    return labels.suspects(cache.digits(source))


def _controls(digits: Digits, everything: Suspects) -> tuple[Suspects, slice]:
    """Show the choice of split and page; return the split's suspects, and the page's slice."""
    page_key = f"data-suspects-page-{digits.source}"
    top = st.container(horizontal=True)
    split = paging.choose_split(top, "data-suspects-part", "all", paging.first_page(page_key))
    wanted = np.zeros(len(everything.numbers), bool)
    wanted[selection.numbers(digits, split, [])] = True
    found = everything.among(wanted)
    most = "The most suspicious labels are on page 1."
    return found, paging.choose_page(top, page_key, len(found.numbers), most)


def _found(digits: Digits) -> None:
    """Show the most suspicious images, page by page; a click enlarges one."""
    try:
        found, there = _controls(digits, _suspects(digits.source))
    except DataError as error:
        st.warning(format.message(error), icon=":material/warning:")
        return
    notes = label_notes.load(digits.checksum, people.me().tag)
    images, truth = selection.take(digits, found.numbers[there])
    shown = [selection.place(digits, int(number)) for number in found.numbers[there]]
    with st.container(height=HEIGHT - 60, border=False):
        picked = gallery(
            images,
            [
                f"{label} → {answer}{_MARKS.get(notes.get(image, ''), '')}"
                for label, answer, image in zip(truth, found.answers[there], shown, strict=True)
            ],
            "data-suspects",
            wrong=np.array([notes.get(image) == "wrong" for image in shown]),
            size=52,
            labels=[
                f"{split} image {index}, labeled {label}, networks say {answer}"
                for (split, index), label, answer in zip(
                    shown, truth, found.answers[there], strict=True
                )
            ],
        )
    if picked is not None:
        place = there.start + picked
        st.session_state[keys.CHOSEN] = (digits.source, int(found.numbers[place]))
        st.markdown(
            f"Labeled **{truth[picked]}**. Networks that never saw it say "
            f"**{found.answers[place]}**, {format.percent(float(found.sureness[place]))} sure; the "
            f"label gets {format.percent(float(found.belief[place]))}."
        )
        verdicts.ask(digits, shown[picked], notes.get(shown[picked]))
    else:
        st.caption(
            "Label → answer of networks that never saw the image, the most suspicious first. Click "
            "an image to enlarge it, and to note whether its label is right."
        )
    verdicts.summary(digits, notes)

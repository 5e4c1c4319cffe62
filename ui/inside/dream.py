"""The digit that the network dreams of, as it forms out of noise."""

from typing import TYPE_CHECKING

import streamlit as st

from core.reading.answer import share
from ui import cache, keys
from ui.components.maps import picture

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.dreaming import Moment, Prior
    from core.reading.reader import Reader

_TILE = 112


def dream(reader: "Reader", run_id: str, source: str) -> None:
    """Show the choice of a digit, and the network's dream of it, at once if it was the last one.

    The dream is made from the principal components of the training digits of `source`.
    """
    from core.reading import dreaming

    with st.container(horizontal=True, vertical_alignment="bottom"):
        digit = st.segmented_control(
            "Dream of",
            range(10),
            default=3,
            key=keys.INSIDE_DREAM,
            persist_state="session",
            required=True,
            help="The picture that the network finds most like this digit. Step by step, it "
            "changes so that the digit becomes more probable.",
        )
        st.button(
            "From other noise",
            key="inside-noise",
            icon=":material/shuffle:",
            on_click=_other_noise,
            help="Start again from other random pixels.",
        )
    wanted = (run_id, int(digit), st.session_state.get(keys.INSIDE_NOISE, 0))
    place = st.empty()
    kept = st.session_state.get(keys.INSIDE_DREAMT)
    if kept is None or kept["of"] != wanted:
        moments: list[Moment] = []
        for moment in dreaming.dream(reader, *wanted[1:], _prior(source)):
            moments.append(moment)
            place.html(_strip(moments))
        kept = st.session_state[keys.INSIDE_DREAMT] = {"of": wanted, "strip": _strip(moments)}
    place.html(kept["strip"])
    st.caption(
        "From random pixels to the picture that the network is surest of, mixed from patterns that "
        "handwritten digits have in common. Each picture has its own scale from black to white. "
        "The network learned to tell digits apart, not how a digit looks, so there may be strokes "
        "that nobody would draw."
    )


@st.cache_resource(max_entries=2, show_spinner=False)
def _prior(source: str) -> "Prior":
    from core.reading import dreaming

    return dreaming.prior_of(cache.digits(source).train_images)


def _other_noise() -> None:
    st.session_state[keys.INSIDE_NOISE] = st.session_state.get(keys.INSIDE_NOISE, 0) + 1


def _strip(moments: "list[Moment]") -> str:
    figures = "".join(
        f'<figure style="margin: 0">{picture(moment.image, f"Step {moment.step}", width=_TILE)}'
        f'<figcaption style="font-size: 0.8rem">Step {moment.step}: {_said(moment)}</figcaption>'
        "</figure>"
        for moment in moments
    )
    return f'<div style="display: flex; gap: 12px; flex-wrap: wrap">{figures}</div>'


def _said(moment: "Moment") -> str:
    digit = int(moment.probabilities.argmax())
    return f"{digit} ({share(float(moment.probabilities[digit]))})"

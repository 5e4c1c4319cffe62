"""The ways to look into a network: its layers, fooling it, its dreams, and how it formed."""

import streamlit as st

from core.runs.run import Run
from ui import cache, guards, keys
from ui.inside import form
from ui.inside.anatomy import anatomy
from ui.inside.dream import dream
from ui.inside.fool import fool
from ui.inside.source import Chosen

_LAYERS, _FOOL, _DREAM = "Layers", "Fool it", "Its dream of a digit"


@st.fragment
def look(run: Run, chosen: Chosen) -> None:
    """Show what a run's network makes of a digit; a click here redraws only this part."""
    with guards.messages():  # a fragment's own reruns do not go through the app's messages()
        _look(run, chosen)


def _look(run: Run, chosen: Chosen) -> None:
    reader = cache.reader(run)
    way = st.segmented_control(
        "Look at",
        [_LAYERS, _FOOL, _DREAM, form.WAY],
        default=_LAYERS,
        key=keys.INSIDE_WAY,
        persist_state="session",
        required=True,
        label_visibility="collapsed",
        help="Every layer's output, the smallest change that changes the answer, the picture that "
        "the network finds most like a digit, or its weights from the first step to the last.",
    )
    if way == _LAYERS:
        anatomy(reader, run, chosen.image, chosen.truth)
    elif way == _FOOL:
        fool(run, reader, chosen.image)
    elif way == _DREAM:
        dream(reader, run.id, cache.digits_for(run).source)
    else:
        form.form(run)

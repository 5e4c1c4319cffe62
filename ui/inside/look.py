"""The ways to look into a network: its layers, how it is fooled, and what it dreams of."""

import streamlit as st

from core.runs.run import Run
from ui import cache, keys
from ui.inside.anatomy import anatomy
from ui.inside.dream import dream
from ui.inside.fool import fool
from ui.inside.source import Chosen

_LAYERS, _FOOL, _DREAM = "Layers", "Fool it", "Its dream of a digit"


@st.fragment
def look(run: Run, chosen: Chosen) -> None:
    """Show what a run's network makes of a digit; what one clicks here redraws only this."""
    reader = cache.reader(run)
    way = st.segmented_control(
        "Look at",
        [_LAYERS, _FOOL, _DREAM],
        default=_LAYERS,
        key=keys.INSIDE_WAY,
        persist_state="session",
        required=True,
        label_visibility="collapsed",
        help="Every layer's output, the smallest change that changes the answer, or the picture "
        "that the network finds most like a digit.",
    )
    if way == _LAYERS:
        anatomy(reader, run.id, chosen.image, chosen.truth)
    elif way == _FOOL:
        fool(run, reader, chosen.image)
    else:
        dream(reader, run.id)

"""The two ways to look into a network: its layers, and how it is fooled."""

import streamlit as st

from core.runs.run import Run
from ui import cache, keys
from ui.inside.anatomy import anatomy
from ui.inside.fool import fool
from ui.inside.source import Chosen

_LAYERS, _FOOL = "Layers", "Fool it"


@st.fragment
def look(run: Run, chosen: Chosen) -> None:
    """Show what a run's network makes of a digit; what one clicks here redraws only this."""
    reader = cache.reader(run)
    way = st.segmented_control(
        "Look at",
        [_LAYERS, _FOOL],
        default=_LAYERS,
        key=keys.INSIDE_WAY,
        persist_state="session",
        required=True,
        label_visibility="collapsed",
        help="Every layer's output, or the smallest change that changes the answer.",
    )
    if way == _LAYERS:
        anatomy(reader, run.id, chosen.image, chosen.truth)
    else:
        fool(run, reader, chosen.image)

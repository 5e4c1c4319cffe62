"""The button that stops a run."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.runs import actions
from core.runs.run import Run
from ui import keys, people


def button(run: Run, place: DeltaGenerator, key: str) -> bool:
    """Show the button in `place`; return whether this click asked the run to stop."""
    stopping = keys.stopping(run.id)
    pressed = place.button(
        "Stop",
        key=key,
        icon=":material/stop:",
        disabled=stopping in st.session_state,
        help="Ends the run within two seconds and keeps its best epoch.",
    )
    if pressed:
        actions.request_stop(people.me(), run)
        st.session_state[stopping] = True
    return pressed

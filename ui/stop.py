"""The button that stops a run."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.runs import actions
from core.runs.run import Run
from ui import keys, people

_PRESSED, _ASKED = "pressed", "asked"


def button(run: Run, place: DeltaGenerator, key: str) -> None:
    """Show the button in `place`, and ask the run to stop once it has been pressed.

    A press is stored in the session, because a fragment that is about to redraw the page loses it.
    Raises UserError if the run cannot be stopped.
    """
    stopping = keys.stopping(run.id)
    if st.session_state.get(stopping) == _PRESSED:
        del st.session_state[stopping]
        actions.request_stop(people.me(), run)
        st.session_state[stopping] = _ASKED
    place.button(
        "Stop",
        key=key,
        icon=":material/stop:",
        disabled=stopping in st.session_state,
        on_click=st.session_state.__setitem__,
        args=[stopping, _PRESSED],
        help="Ends the run within two seconds and keeps its best epoch.",
    )

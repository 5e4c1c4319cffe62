from contextlib import suppress

import streamlit as st

from core import data, worker
from core.errors import StoreError
from ui import network, settings, shared, state
from ui.live import live

st.title("Train")
shared.wait_for_torch()
digits, problem = shared.digits_in_use()

left, right = st.columns([2, 5], gap="large")
with left:
    top = st.container(key="train-start")
    with st.container(key="train-settings"):
        config, recipe = settings.settings()
        name = st.text_input(
            "Name",
            placeholder="optional",
            max_chars=80,
            help="What to call the run when comparing.",
        )
    if top.button(
        "Start",
        key="start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        help=f"Trains on {data.SOURCES[digits.source]}, in a process of its own: it goes on "
        "when you leave this page. One run trains at a time; others wait.",
    ):
        run = worker.start(config, digits.source, recipe, name)
        st.session_state[state.WATCHED] = run.id
    with top:
        network.duration(config, len(digits.train_labels))
with right:
    live()
    with st.expander("The network", icon=":material/layers:"):
        network.layers(config)
# All is drawn, and a store that fails has been told of.
with suppress(StoreError):
    worker.prepare()

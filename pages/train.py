from contextlib import suppress

import streamlit as st

from core.data.digits import SOURCES
from core.errors import StoreError
from core.jobs import request
from core.runs import catalogue
from ui import cache, keys, people
from ui.train import network, pair, settings
from ui.train.live import live

st.title("Train")
cache.wait_for_torch()
digits, problem = cache.digits_in_use()
listed = catalogue.listed()

left, right = st.columns([2, 5], gap="large")
with left:
    top = st.container(key="train-start")
    below = st.container(key="train-settings")
    with below:
        config, recipe = settings.settings(digits.source, listed)
    if top.button(
        "Start",
        key="start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        help=f"Train on {SOURCES[digits.source]}. Training continues when you leave this page. "
        "One run trains at a time; others wait in a queue.",
    ):
        run = request.start(
            config, digits.source, recipe, st.session_state.get(keys.NAME, ""), people.me()
        )
        pair.watch(run)
        st.session_state[keys.NAME] = ""  # the name is used up
    below.text_input(
        "Name",
        key=keys.NAME,
        persist_state="session",
        placeholder="optional",
        max_chars=80,
        help="The run's name in lists and charts.",
    )
    with top:
        network.duration(config, digits, listed)
        pair.run_both(config, digits.source, recipe)
with right:
    live()
    with st.expander("The network", icon=":material/layers:"):
        network.layers(config)
# The page is drawn, and a failing store has been reported.
with suppress(StoreError):
    request.prepare()

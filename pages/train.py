from contextlib import suppress

import streamlit as st

from core.data.digits import SOURCES
from core.errors import StoreError
from core.jobs import limits, request
from ui import cache, keys, people, runs
from ui.train import code, network, pair, settings
from ui.train.live import live

st.title("Train")
if cache.warm_up().is_alive():  # then the process on standby loads at the same time
    request.prepare(asks_store=False)
cache.wait_for_torch()
digits, problem = cache.digits_in_use()
listed, _ = runs.known()

left, right = st.columns([2, 5], gap="large")
with left:
    top = st.container(key="train-start")
    below = st.container(key="train-settings")
    with below:
        config, recipe, missing = settings.settings(digits.source, listed)
    if missing:
        top.warning(missing, icon=":material/warning:")
    if top.button(
        "Start",
        key="start",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=bool(missing),
        help=f"Train on {SOURCES[digits.source]}. Training continues when you leave this page. "
        "One run trains at a time; others wait in a queue.",
    ):
        seeds = range(config.seed, config.seed + st.session_state.get(keys.SEEDS, 1))
        name = st.session_state.get(keys.NAME, "")
        run = request.start_seeds(config, digits.source, recipe, name, seeds, people.me())[0]
        pair.watch(run)
        st.session_state[keys.NAME] = ""  # the name is used up
    if limits.is_demo():
        top.caption(limits.SUMMARY)
    below.text_input(
        "Name",
        key=keys.NAME,
        persist_state="session",
        placeholder="optional",
        max_chars=80,
        help="The run's name in lists and charts.",
    )
    below.number_input(
        "Seeds",
        min_value=1,
        max_value=10,
        key=keys.SEEDS,
        persist_state="session",
        help="How many runs to train, one after the other, each with the next seed. Compare shows "
        "their mean, and how much of a difference is luck.",
    )
    with top:
        network.duration(config, digits, listed)
        pair.run_both(config, digits.source, recipe)
with right:
    live()
    network.layers(config)
    code.code(config, recipe, digits.source)
# The page is drawn, and a failing store has been reported.
with suppress(StoreError):
    request.prepare()

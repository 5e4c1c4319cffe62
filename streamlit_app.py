"""Digit Lab's pages and what they all show. Start it with `make app`."""

import streamlit as st

from ui.guards import messages
from ui.sidebar import sidebar

st.set_page_config("Digit Lab", page_icon=":material/draw:", layout="wide")
page = st.navigation(
    [
        st.Page("pages/data.py", title="Data", icon=":material/grid_view:", default=True),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/fact_check:"),
        st.Page("pages/draw.py", title="Draw", icon=":material/draw:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
    ]
)
sidebar()
with messages():
    page.run()

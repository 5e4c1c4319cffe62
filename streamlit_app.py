"""Digit Lab as one application. Start it with `make app`, or `streamlit run streamlit_app.py`."""

import streamlit as st

app = st.App("ui/app.py")

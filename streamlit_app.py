"""Digit Lab as one application. Start it with `make app`, or `streamlit run streamlit_app.py`."""

import streamlit as st

from door.routes import door

app = st.App("ui/app.py", routes=[door(st.get_option("server.baseUrlPath"))])

"""Digit Lab as one application. Start it with `make app`, or `streamlit run streamlit_app.py`."""

from pathlib import Path

import streamlit as st

from door.addresses import addresses
from door.routes import door

base = st.get_option("server.baseUrlPath")
index = Path(st.__file__).parent / "static" / "index.html"
app = st.App("ui/app.py", routes=[door(base), *addresses(index, base)])

"""Digit Lab as one application. Start it with `make app`, or `streamlit run streamlit_app.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread

import streamlit as st

from door.addresses import addresses
from door.routes import door


def load() -> None:
    """Import what the first page needs; Streamlit takes pandas to look at a component's data."""
    for name in ("core.ink.strokes", "pandas"):
        import_module(name)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """While the server runs; its first browser has Streamlit's own files to get during `load`."""
    Thread(target=load, daemon=True).start()
    yield


base = st.get_option("server.baseUrlPath")
index = Path(st.__file__).parent / "static" / "index.html"
app = st.App("ui/app.py", routes=[door(base), *addresses(index, base)], lifespan=lifespan)

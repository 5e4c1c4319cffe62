"""The drawing canvas, which keeps its drawing when its page is left."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from ui import keys

SIDE = 280  # CSS pixels; fits a telephone

_hide_toolbar = st.components.v2.component(
    "digitlab_canvas",
    html="<span></span>",
    js=(Path(__file__).parent / "canvas.js").read_text(),
    isolate_styles=False,
)


def canvas() -> dict[str, Any] | None:
    """Show pen, undo, clear and canvas; return the drawing as fabric's JSON, None where empty."""
    generation = st.session_state.setdefault(keys.CANVAS, 0)
    key = f"canvas-{generation}"
    if key not in st.session_state:  # a canvas just mounted starts from what was kept
        st.session_state[keys.CANVAS_INITIAL] = st.session_state.get(keys.DRAWING)
    with st.container(key="canvas", gap=None):
        _hide_toolbar(key="canvas-toolbar", height=1)
        result = st_canvas(
            stroke_width=st.session_state.setdefault(keys.PEN, 18),
            stroke_color="#ffffff",
            background_color="#000000",
            fill_color="rgba(0, 0, 0, 0)",
            initial_drawing=st.session_state.get(keys.CANVAS_INITIAL),
            height=SIDE,
            width=SIDE,
            key=key,
        )
    drawing = result.json_data
    st.session_state[keys.DRAWING] = drawing
    strokes = (drawing or {}).get("objects") or []
    # Callbacks run before all else: a stroke that arrives while the page is drawn after the click
    # stops that drawing, and what it had not come to would be lost.
    buttons = st.container(horizontal=True, width=SIDE)
    buttons.button(
        "Undo",
        icon=":material/undo:",
        width="stretch",
        disabled=not strokes,
        on_click=_restart,
        args=[{**(drawing or {}), "objects": strokes[:-1]}],
        help="Take back the last stroke.",
    )
    buttons.button(
        "Clear",
        icon=":material/delete:",
        width="stretch",
        disabled=not strokes,
        on_click=_restart,
        args=[None],
        help="Start with an empty canvas.",
    )
    st.slider(
        "Pen",
        *(6, 40),
        key=keys.PEN,
        help="Width in pixels. The model sees the same thickness whatever it is.",
    )
    return drawing if strokes else None


def _restart(drawing: dict[str, Any] | None) -> None:
    """Put a fresh canvas in the old one's place, with this drawing on it."""
    st.session_state[keys.DRAWING] = drawing
    st.session_state[keys.CANVAS] += 1

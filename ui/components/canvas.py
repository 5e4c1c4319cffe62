"""The drawing canvas, which keeps its drawing when the page is left."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from ui import keys

SIDE = 280  # CSS pixels; fits on a phone

_hide_toolbar = st.components.v2.component(
    "digitlab_canvas",
    html="<span></span>",
    js=(Path(__file__).parent / "canvas.js").read_text(),
    isolate_styles=False,
)


def canvas(*, pen: bool = True) -> dict[str, Any] | None:
    """Show the canvas with its buttons; return the drawing as Fabric's JSON, None if empty.

    With `pen`, the width of the pen can be set.
    """
    generation = st.session_state.setdefault(keys.CANVAS, 0)
    key = f"canvas-{generation}"
    if key not in st.session_state:  # a new canvas starts with the stored drawing
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
    # Callbacks run before the page is redrawn, so a stroke that interrupts the redrawing cannot
    # undo them.
    buttons = st.container(horizontal=True, width=SIDE)
    buttons.button(
        "Undo",
        icon=":material/undo:",
        width="stretch",
        disabled=not strokes,
        on_click=_restart,
        args=[{**(drawing or {}), "objects": strokes[:-1]}],
        help="Remove the last stroke.",
    )
    buttons.button(
        "Clear",
        icon=":material/delete:",
        width="stretch",
        disabled=not strokes,
        on_click=_restart,
        args=[None],
        help="Empty the canvas.",
    )
    if pen:
        st.slider(
            "Pen",
            *(6, 40),
            key=keys.PEN,
            help="Width in pixels. The network sees strokes of a fixed thickness.",
        )
    return drawing if strokes else None


def _restart(drawing: dict[str, Any] | None) -> None:
    """Replace the canvas by a new one with this drawing."""
    st.session_state[keys.DRAWING] = drawing
    st.session_state[keys.CANVAS] += 1

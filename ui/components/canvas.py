"""The drawing canvas, which keeps its drawing when the page is left."""

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit_drawable_canvas import st_canvas

from ui import keys

SIDE = 280  # CSS pixels; fits on a phone

_HERE = Path(__file__).parent

# Not isolated in a shadow root, because it reaches into the canvas.
_buttons = st.components.v2.component(
    "digitlab_canvas",
    html="""
    <div class="digitlab-canvas-buttons">
      <button class="undo" type="button" title="Remove the last stroke.">
        <span aria-hidden="true">undo</span>Undo
      </button>
      <button class="clear" type="button" title="Empty the canvas.">
        <span aria-hidden="true">delete</span>Clear
      </button>
    </div>
    """,
    css=(_HERE / "canvas.css").read_text(),
    js=(_HERE / "canvas.js").read_text(),
    isolate_styles=False,
)


def canvas(*, pen: bool = True) -> dict[str, Any] | None:
    """Show the canvas with its buttons; return the drawing as Fabric's JSON, None if empty.

    With `pen`, there is a slider for the width of the pen.
    """
    generation = st.session_state.setdefault(keys.CANVAS, 0)
    key = f"canvas-{generation}"
    if key not in st.session_state:  # a new canvas starts with the stored drawing
        st.session_state[keys.CANVAS_INITIAL] = st.session_state.get(keys.DRAWING)
    with st.container(key="canvas", gap=None):
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
        strokes = (drawing or {}).get("objects") or []
        began = (st.session_state.get(keys.CANVAS_INITIAL) or {}).get("objects")
        # Callbacks run before the page is redrawn, so they have their effect even if a new stroke
        # interrupts the redraw.
        _buttons(
            key="canvas-buttons",
            data={"beganEmpty": not began},
            width=SIDE,
            on_undo_change=lambda: _restart({**(drawing or {}), "objects": strokes[:-1]}),
            on_clear_change=lambda: _restart(None),
        )
    st.session_state[keys.DRAWING] = drawing
    if pen:
        st.slider(
            "Pen",
            *(6, 40),
            key=keys.PEN,
            help="Width in pixels. The network sees strokes of a fixed thickness.",
        )
    return drawing if strokes else None


def _restart(drawing: dict[str, Any] | None) -> None:
    """Replace the canvas with a new one that shows this drawing."""
    st.session_state[keys.DRAWING] = drawing
    st.session_state[keys.CANVAS] += 1

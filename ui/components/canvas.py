"""The drawing canvas, which keeps its drawing when the page is left."""

from pathlib import Path
from typing import Any

import streamlit as st

from ui import keys

SIDE = 280  # CSS pixels; fits on a phone

_HERE = Path(__file__).parent
_LABEL = "Canvas. Arrow keys move the pen, Space sets it down and lifts it."

_canvas = st.components.v2.component(
    "digitlab_canvas",
    html=f"""
    <div class="box">
      <div class="sheet">
        <canvas tabindex="0" role="application" aria-label="{_LABEL}"></canvas>
        <span class="pen" hidden></span>
      </div>
      <div class="buttons">
        <button class="undo" type="button" title="Remove the last stroke.">
          <span class="icon" aria-hidden="true">undo</span>Undo
        </button>
        <button class="clear" type="button" title="Empty the canvas.">
          <span class="icon" aria-hidden="true">delete</span>Clear
        </button>
      </div>
    </div>
    """,
    css=(_HERE / "canvas.css").read_text(),
    js=(_HERE / "canvas.js").read_text(),
)


def canvas(*, pen: bool = True) -> Any:
    """Show the canvas with its buttons; return what the browser says is drawn, None if nothing.

    That is strokes, `[[[x, y], …], …]`, in CSS pixels of the canvas, y down; but as it comes from
    a browser, `core.ink.strokes.from_drawing` has to check it. With `pen`, the width of the pen can
    be set.
    """
    stored = st.session_state.get(keys.DRAWING) or []
    strokes = _canvas(
        key="canvas",
        data={"strokes": stored, "pen": st.session_state.setdefault(keys.PEN, 18)},
        default={"strokes": stored},
        width=SIDE,
        on_strokes_change=lambda: None,
    ).strokes
    st.session_state[keys.DRAWING] = strokes
    if pen:
        st.slider(
            "Pen",
            *(6, 40),
            key=keys.PEN,
            help="Width in pixels. The network sees strokes of a fixed thickness.",
        )
    return strokes or None

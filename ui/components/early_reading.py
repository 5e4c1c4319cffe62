"""Read the digit while it is drawn: words, tile and bars follow the pen.

The component's script sends the pen's points on the canvas to the door (`api/read`) several times a
second. If the door does not answer, the page's own answer comes after the stroke.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import InkError
from core.ink.strokes import strokes_of
from core.my_digits import fitted
from core.runs.person import Person
from core.runs.run import Run
from ui.components.canvas import SIDE

_HERE = Path(__file__).parent
WORDS, TILE, BARS = "words", "draw-tile", "draw-bars"  # keys of the elements that it replaces

# Not isolated in a shadow root, because it covers the page's own words.
_early_reading = st.components.v2.component(
    "digitlab_early_reading",
    html='<div class="digitlab-early" hidden><h3></h3><p></p></div>',
    css=(_HERE / "early_reading.css").read_text(),
    js=(_HERE / "early_reading.js").read_text(),
    isolate_styles=False,
)


def read_early(
    run: Run, hand: Person | None, drawing: dict[str, Any] | None, digits: int, selected: int
) -> None:
    """Let a run's network read while somebody draws; call it in the container with key `WORDS`.

    If there is a network fitted to `hand`, that one reads. The page has already answered `drawing`,
    which has `digits` digits; the tile and bars show the one with index `selected`.
    """
    try:
        strokes = [stroke.round(1).tolist() for stroke in strokes_of(drawing)] if drawing else []
    except InkError:  # the page shows it
        strokes = []
    path = hand and fitted.path_for(run, hand)
    _early_reading(
        key="early-reading",
        data={
            "run": run.id,
            "hand": path.stem if path and path.exists() else "",
            "strokes": strokes,
            "side": SIDE,
            "digits": digits,
            "selected": selected,
            "tile": TILE,
            "bars": BARS,
        },
    )

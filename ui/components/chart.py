"""Plotly figures that keep their zoom and hover while their data change.

`st.plotly_chart` mounts a new chart whenever the data change. This component redraws the same node
with `Plotly.react`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import streamlit as st

from core.whole import write_whole
from ui import format

if TYPE_CHECKING:
    import plotly.graph_objects as go


_HERE = Path(__file__).parent
_STATIC = _HERE.parent / "static"  # beside ui/app.py: Streamlit serves it at app/static/


class Click(TypedDict):
    """A clicked point or heatmap cell, with its x, y and customdata from the figure's trace."""

    x: Any
    y: Any
    customdata: Any
    curve: int


class Tiles(TypedDict):
    """Digits to show on hovering: the `image` of `tiles.sprite`, and its number of columns."""

    image: str
    columns: int


class Live(TypedDict):
    """A growing trace: a run's metric over epochs, with new points from the step after `after`."""

    run: str
    metric: str
    after: int


def _publish_plotly() -> str:
    """Copy plotly's own plotly.min.js to where Streamlit serves it; return its URL.

    The URL is relative to the page, so that it also works under a base path.
    """
    name = f"plotly-{version('plotly')}.min.js"
    target = _STATIC / name
    if not target.exists():
        _STATIC.mkdir(exist_ok=True)
        plotly = str(files("plotly") / "package_data" / "plotly.min.js")
        write_whole(target, lambda partial: shutil.copyfile(plotly, partial))
    for other in _STATIC.glob("plotly-*.min.js"):
        if other != target:
            other.unlink(missing_ok=True)
    return f"app/static/{name}"


_PLOTLY_URL = _publish_plotly()

# Not isolated in a shadow root, because Plotly puts its own style sheet in the document's head.
_chart = st.components.v2.component(
    "digitlab_chart",
    html="""
    <figure class="digitlab-chart">
      <div class="drawing"></div><div class="digit" hidden></div><figcaption></figcaption>
      <output></output>
    </figure>
    """,
    css=(_HERE / "chart.css").read_text(),
    js=(_HERE / "chart.js").read_text(),
    isolate_styles=False,
)


def chart(
    figure: go.Figure | dict[str, Any],
    key: str,
    *,
    height: int = 360,
    tall: float = 0.0,
    on_click: Literal["rerun"] | Callable[[], None] | None = None,
    tiles: Tiles | None = None,
    caption: str = "",
    live: Live | None = None,
    selectable: bool = False,
) -> Click | None:
    """Show a Plotly figure in the theme's colors; return the point last clicked, or None.

    Zoom and hidden traces survive new data under the same `key`, unless the figure has another
    `layout.uirevision`. Values that the figure sets itself (a color, a font) override the theme.
    `height` is in CSS pixels, including the caption; the width is the container's. With `tall`, the
    chart's height is at most `tall` times its width, which matters on a phone.

    If `on_click` is None, clicks do nothing. With "rerun", a click reruns the page, or the fragment
    that the chart is in. A function is called before that rerun, at every click, even on the same
    point. The click is a state value: it stays, and is marked in the chart, through reruns until
    another point is clicked or the chart is no longer shown. Put what it refers to (a run, a split)
    into the key, so that the click does not outlast it. Marks assume heatmap cells one unit wide.

    With `tiles`, hovering over a point whose `customdata[0]` is a number shows the digit with that
    number. With `selectable`, a region can be drawn if the figure's `dragmode` allows it: see
    `selected`. With `live`, the figure's first trace gets the points that a `progress` of that run
    receives.
    """
    from plotly.io import to_json

    clicked = (st.session_state.get(key) or {}).get("click")
    state = _chart(
        key=key,
        height="content" if tall else height,
        data={
            "figure": to_json(figure, validate=False),
            "height": height,
            "tall": tall,
            "clickable": on_click is not None,
            # Sent back so that a chart that is mounted again, in another column, shows its mark.
            "clicked": clicked,
            "tiles": tiles,
            "caption": format.unbroken(caption),
            "live": live,
            "selectable": selectable,
            "plotly": _PLOTLY_URL,
        },
        on_click_change=on_click if callable(on_click) else lambda: None,
        on_selected_change=lambda: None,
    )
    click = state.get("click")
    if on_click is None or click is None:
        return None
    return Click(x=click["x"], y=click["y"], customdata=click["customdata"], curve=click["curve"])


def selected(key: str) -> list[int]:
    """Return `customdata[0]` of the points in the last region drawn in a `selectable` chart."""
    found = (st.session_state.get(key) or {}).get("selected") or []
    return [one for one in found if isinstance(one, int) and one >= 0]

"""Figures in reports: what Plotly draws in a browser is drawn alike."""

import plotly.graph_objects as go
import pytest

from core.export.svg import drawn


@pytest.mark.parametrize(
    ("position", "anchor"),
    [("top left", "end"), ("middle right", "start"), ("bottom center", "middle"), (None, "middle")],
)
def test_a_points_name_is_where_the_page_has_it(position: str | None, anchor: str) -> None:
    """It is anchored on its own side of the point, which it does not cover."""
    figure = go.Figure(go.Scatter(x=[1.0], y=[1.0], text=["mine"], mode="markers+text"))
    figure.update_traces(textposition=position, marker_size=10)
    picture = drawn(figure)
    assert f'text-anchor="{anchor}">mine</text>' in picture


def test_legend_tells_rings_and_faint_lines_apart() -> None:
    """Traces of one color have other marks in the legend: a ring, and a line's own faintness."""
    line = {"line": {"color": "#123456"}, "x": [1, 2], "y": [1, 2]}
    figure = go.Figure([go.Scatter(name=name, mode="lines", **line) for name in ("one", "faint")])
    figure.data[1].opacity = 0.4
    ring = {"symbol": "circle-open", "color": "#123456"}
    figure.add_scatter(name="best", mode="markers", x=[2], y=[2], marker=ring)
    legend = drawn(figure).partition("legend")[2]
    styles = [one.partition('"')[0] for one in legend.split('style="')[1:]]
    assert len(set(styles)) == 3
    assert "border:2px solid #123456" in styles[2] and "background" not in styles[2]

"""Plotly figures of maps of digits, colored by digit, answer, hardness or source."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures import palette

# What the colors can show: column of the table → title.
COLORS = {"digit": "Digit", "answer": "Right or wrong", "hardness": "Hardness", "source": "Source"}
MNIST, MINE, OTHERS = "MNIST", "my digits", "others'"
_SOURCES = {MNIST: palette.NEUTRAL, MINE: palette.WRONG, OTHERS: palette.TRAINING}
_SIZE, _LARGE = 5, 9  # CSS pixels of a point, and of one to stand out
_SCALE = [[0, "#3f8ec9"], [0.6, "#dea211"], [1, palette.WRONG]]  # of hardness: from easy to hard


def digit_map(points: pd.DataFrame, title: str, color: str, *, lasso: bool = False) -> go.Figure:
    """Return images as points, from columns x, y, digit and name, colored by one of COLORS.

    `answer` is the digit that a run read; `hardness` in [0, 1], or NaN; `source` is MNIST, MINE or
    OTHERS. Each point's customdata is its row in `points`, for the chart's `tiles`. With `lasso`,
    dragging draws a region; otherwise it zooms.
    """
    figure = go.Figure()
    numbered = points.assign(row=range(len(points)))
    add = {"digit": _digits, "answer": _answers, "hardness": _hardness, "source": _sources}
    add[color](figure, numbered)
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False}
    figure.update_layout(title=title, xaxis=bare, yaxis={**bare, "scaleanchor": "x"})
    if lasso:
        figure.update_layout(dragmode="lasso")
    return figure


def _add(
    figure: go.Figure,
    group: pd.DataFrame,
    name: str,
    marker: dict[str, object],
    said: pd.Series | None = None,
) -> None:
    """Add points; hovering over one shows its label, its name and its text in `said`."""
    text = "label " + group["digit"].astype(str) + ", " + group["name"]
    figure.add_scatter(
        x=group["x"],
        y=group["y"],
        customdata=group[["row"]].to_numpy(),
        text=text if said is None else text + ", " + said,
        name=name,
        mode="markers",
        marker={"size": _SIZE, "opacity": 0.8, "line": {"width": 0}} | marker,
        hovertemplate="%{text}<extra></extra>",
    )


def _digits(figure: go.Figure, points: pd.DataFrame) -> None:
    for digit, group in points.groupby("digit"):
        _add(figure, group, str(digit), {"color": palette.CLASS_COLORS[int(digit)]})


def _answers(figure: go.Figure, points: pd.DataFrame) -> None:
    read = "read as " + points["answer"].astype(str)
    wrong = points["answer"] != points["digit"]
    count = int(wrong.sum())
    _add(figure, points[~wrong], f"right ({len(points) - count:,})", _faint(), read[~wrong])
    edge = {"color": palette.WRONG, "size": _LARGE, "opacity": 1}
    _add(figure, points[wrong], f"wrong ({count:,})", edge, read[wrong])


def _hardness(figure: go.Figure, points: pd.DataFrame) -> None:
    known = points["hardness"].notna()
    if not known.all():
        _add(figure, points[~known], "not learned from", _faint())
    found = points[known].sort_values("hardness")  # the hardest on top
    bar = {
        "orientation": "h",
        "thickness": 8,
        "outlinewidth": 0,
        "x": 0.5,
        "y": -0.02,
        "yanchor": "top",
        "tickvals": [0, 1],
        "ticktext": ["easiest", "hardest"],
    }
    marker = {
        "color": found["hardness"],
        "colorscale": _SCALE,
        "cmin": 0,
        "cmax": 1,
        "size": np.where(found["hardness"] > 0.95, _LARGE - 2, _SIZE),
        "colorbar": bar,
    }
    _add(figure, found, "learned from", marker)


def _sources(figure: go.Figure, points: pd.DataFrame) -> None:
    for source, color in _SOURCES.items():
        group = points[points["source"] == source]
        if len(group):
            marker = _faint() if source == MNIST else {"color": color, "size": _LARGE}
            _add(figure, group, f"{source} ({len(group):,})", marker)


def _faint() -> dict[str, object]:
    return {"color": palette.NEUTRAL, "opacity": 0.45}

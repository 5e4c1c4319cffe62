"""Plotly figures of accuracies by how the digits were written. The theme sets fonts and grids."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from core.evaluation.slices import PARTS, Finding
from core.figures import palette

# Measure → its title, the names of its lowest and highest fifth, and the format of a value.
NAMES = {
    "thickness": ("Thickness", "thinnest", "thickest", "{:.1f} px"),
    "slant": ("Slant", "leaning left", "leaning right", "{:+.0f}°"),
    "size": ("Size", "smallest", "largest", "{:.0f} px²"),
    "ink": ("Ink", "least", "most", "{:.0%}"),
}
_ENDS = {"thickness": ("thin", "thick"), "slant": ("left", "right"), "size": ("small", "large")}
_PICTURE = 46  # CSS pixels below the axis for the examples
_TOP, _BOTTOM = 40, 34  # CSS pixels of the title, and of the labels below the examples


@dataclass(frozen=True)
class Panel:
    """What a panel shows besides its points.

    `pictures` are the data URLs of an example of each fifth, empty if there is none. `span` is the
    range of the vertical axis, which all panels share: accuracies in [0, 1], or percentage points.
    `height` is in CSS pixels; `marked` is the fifth to highlight.
    """

    measure: str
    pictures: Sequence[str]
    span: tuple[float, float]
    height: int
    marked: int | None = None


def called(finding: Finding) -> str:
    """Return the name of a slice for a sentence, such as `the thinnest digits`."""
    if finding.measure == "ink":
        words = ("the digits with the least ink", "", "the digits with the most ink")
    elif finding.measure == "slant":
        words = ("digits that lean to the left", "", "digits that lean to the right")
    else:
        _, low, high, _ = NAMES[finding.measure]
        words = (f"the {low} digits", "", f"the {high} digits")
    title = NAMES[finding.measure][0].lower()
    named = {
        0: words[0],
        1: f"the second fifth by {title}",
        2: f"digits of medium {title}",
        3: f"the fourth fifth by {title}",
        PARTS - 1: words[2],
    }
    return named[finding.part]


def accuracy_panel(table: pd.DataFrame, panel: Panel) -> go.Figure:
    """Return the accuracy of each fifth with its interval, from `slices.accuracies`.

    Each point's customdata is the measure and the fifth.
    """
    rights = zip(table["right"], table["count"], strict=True)
    text = [f"{right:,} of {count:,} right" for right, count in rights]
    figure = _empty(table, panel)
    _add_points(figure, table, "accuracy", panel, text, "%{y:.2%}")
    ticks, digits = _ticks(panel.span[0], min(panel.span[1], 1.0))
    words = [f"{tick:.{max(0, digits - 2)}%}" for tick in ticks]
    figure.update_yaxes(tickvals=ticks, ticktext=words)
    return figure


def difference_panel(table: pd.DataFrame, panel: Panel) -> go.Figure:
    """Return the difference of two accuracies in each fifth, from `slices.differences`.

    `table` also has each fifth's `mean`. Each point's customdata is the measure and the fifth.
    """
    points = table.assign(**{name: 100 * table[name] for name in ("difference", "low", "high")})
    both = zip(table["here"], table["there"], strict=True)
    text = [f"{here:.2%} against {there:.2%}" for here, there in both]
    figure = _empty(table, panel)
    _add_points(figure, points, "difference", panel, text, "%{y:+.2f} points")
    figure.add_hline(0, line={"color": palette.NEUTRAL, "width": 1, "dash": "dash"})
    ticks, digits = _ticks(*panel.span)
    words = [f"{tick:+.{digits}f}".replace("-", "−") if tick else "0" for tick in ticks]
    figure.update_yaxes(tickvals=ticks, ticktext=words)
    return figure


def _ticks(low: float, high: float) -> tuple[list[float], int]:
    """Return three to seven round values between `low` and `high`, and their number of decimals."""
    rough = (high - low) / 2.5
    power = math.floor(math.log10(rough))
    step = next(one for one in (5, 2, 1) if one * 10.0**power <= rough) * 10.0**power
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -power)
    return [round(number * step, decimals) for number in range(first, last + 1)], decimals


def _add_points(
    figure: go.Figure,
    table: pd.DataFrame,
    middle: str,
    panel: Panel,
    text: list[str],
    value: str,
) -> None:
    """Add a point with whiskers for each fifth; `value` is the hover text's template."""
    colors = [palette.WRONG if part == panel.marked else palette.ACCENT for part in table["part"]]
    figure.add_scatter(
        x=table["part"],
        y=table[middle],
        error_y=_whiskers(table, middle),
        customdata=[[panel.measure, int(part)] for part in table["part"]],
        text=text,
        hovertemplate=f"{value}: %{{text}}<extra></extra>",
        mode="markers",
        marker={"size": 9, "color": colors},
        showlegend=False,
    )


def _whiskers(table: pd.DataFrame, middle: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": table["high"] - table[middle],
        "arrayminus": table[middle] - table["low"],
        "color": palette.NEUTRAL,
        "thickness": 1.5,
        "width": 3,
    }


def _empty(table: pd.DataFrame, panel: Panel) -> go.Figure:
    """Return a panel without points: a title, the fifths' means, and an example below each."""
    title, *_, form = NAMES[panel.measure]
    labels = [form.format(mean).replace("-", "−").split(" ")[0] for mean in table["mean"]]
    low, high = _ENDS.get(panel.measure, ("little", "much"))
    labels[0], labels[-1] = f"{labels[0]}<br>{low}", f"{labels[-1]}<br>{high}"
    bottom = _PICTURE + _BOTTOM
    share = _PICTURE / (panel.height - _TOP - bottom)  # of the plot's own height
    figure = go.Figure()
    for part, picture in enumerate(panel.pictures):
        if picture:
            figure.add_layout_image(
                source=picture,
                xref="x",
                yref="paper",
                x=part,
                y=-0.04,
                sizex=0.82,
                sizey=share * 0.86,
                xanchor="center",
                yanchor="top",
            )
    unit = form.format(0).partition(" ")[2]
    figure.update_layout(
        title=f"{title}, {unit}" if unit else title,
        margin={"t": _TOP, "b": bottom, "l": 52, "r": 8},
        xaxis={
            "range": [-0.5, 4.5],
            "tickvals": list(table["part"]),
            "ticktext": labels,
            "tickangle": 0,
            "ticklabelstandoff": _PICTURE,
            "automargin": False,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"range": list(panel.span), "fixedrange": True, "automargin": False},
        dragmode=False,
    )
    return figure

"""Plotly figures of experiments: small, with fixed axes, so that they can be compared."""

from html import escape

import plotly.graph_objects as go

from core.experiments.course import Bars, Dots, Lane
from core.figures import palette

_SHARES = {"tickformat": ".0%", "range": [0, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
_WINDOW = 10  # reported steps in the running mean
_MARGIN = {"l": 44, "r": 16, "t": 12, "b": 36}


def lane(run: Lane, epochs: int) -> go.Figure:
    """Return one run's accuracy over its epochs: training by step, validation by epoch.

    Training accuracy is the mean of the last few reported steps, since a single batch is too noisy.
    """
    figure = go.Figure()
    accuracies = [accuracy for _, accuracy in run.steps]
    windows = [accuracies[max(0, end - _WINDOW) : end] for end in range(1, len(accuracies) + 1)]
    figure.add_scatter(
        x=[epoch for epoch, _ in run.steps],
        y=[sum(window) / len(window) for window in windows],
        mode="lines",
        line={"color": palette.TRAINING, "width": 1.5},
        hovertemplate="%{y:.1%}<extra>training</extra>",
    )
    figure.add_scatter(
        x=[epoch for epoch, _, _ in run.epochs],
        y=[validation for _, _, validation in run.epochs],
        mode="lines+markers" if epochs <= 10 else "lines",
        line={"color": palette.VALIDATION, "width": 2.5},
        cliponaxis=False,  # the last epoch is on the edge
        hovertemplate="%{y:.1%}<extra>validation</extra>",
    )
    figure.update_layout(
        xaxis={
            "title": "epoch",
            "range": [0, epochs],
            "dtick": 1 if epochs <= 6 else None,
            "nticks": 6,
        },
        yaxis=_SHARES,
        showlegend=False,
        margin=_MARGIN,
    )
    return figure


def bars(finding: Bars) -> go.Figure:
    """Return groups of bars, each with its share above it."""
    figure = go.Figure()
    colors: tuple[str, ...] = (palette.ACCENT, palette.VALIDATION, palette.NEUTRAL)
    if len(finding.values) == 2:
        colors = (palette.NEUTRAL, palette.ACCENT)
    highest = max(value for values in finding.values.values() for value in values)
    form = ".1%" if highest < 0.1 else ".0%"
    for (name, values), color in zip(finding.values.items(), colors, strict=False):
        figure.add_bar(
            x=[escape(group, quote=False) for group in finding.groups],
            y=values,
            name=escape(name, quote=False),
            marker={"color": color},
            text=[f"{value:{form}}".replace("%", " %") for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        title=finding.title,
        yaxis={"tickformat": ".0%", "range": [0, min(1.08, 1.2 * highest + 0.001)], "nticks": 6},
        barmode="group",
        showlegend=len(finding.values) > 1,
    )
    return figure


def dots(finding: Dots) -> go.Figure:
    """Return a column of dots for each series, a line at its mean, and a ring at the marked dot."""
    figure = go.Figure()
    for place, (values, color) in enumerate(
        zip(finding.values.values(), palette.CLASS_COLORS, strict=False)
    ):
        # Side by side, in the order of the repetitions, so that equal values do not overlap.
        x = [place + (number - (len(values) - 1) / 2) * 0.05 for number in range(len(values))]
        marked = [number == finding.marked for number in range(len(values))]
        figure.add_scatter(
            x=x,
            y=values,
            mode="markers",
            marker={
                "color": color,
                "opacity": 1,
                "size": [16 if mark else 10 for mark in marked],
                "line": {"color": palette.WRONG, "width": [3 if mark else 0 for mark in marked]},
            },
            hovertemplate="%{y:.1%}<extra></extra>",
        )
        if values:
            mean = sum(values) / len(values)
            figure.add_scatter(
                x=[place - 0.35, place + 0.35],
                y=[mean, mean],
                mode="lines",
                line={"color": color, "width": 2},
                hovertemplate="mean %{y:.2%}<extra></extra>",
            )
    figure.update_layout(
        title=finding.title,
        xaxis={
            "tickvals": list(range(len(finding.values))),
            "ticktext": [escape(name, quote=False) for name in finding.values],
            "range": [-0.6, len(finding.values) - 0.4],
        },
        yaxis={"title": "right answers", "tickformat": ".4~%"},
        hovermode="closest",
        showlegend=False,
    )
    return figure

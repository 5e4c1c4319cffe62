"""Plotly figures of a sweep's trials: history, parallel coordinates, importances."""

import math
from html import escape
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from core.figures import palette
from core.sweeps.space import Range, written
from core.sweeps.sweep import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.sweeps.space import Domain
    from core.sweeps.sweep import Sweep, Trial

_TICKS = 5  # on an axis of numbers
_SCALE = [[0, palette.NEUTRAL], [0.5, palette.TRAINING], [1, palette.VALIDATION]]


def history(sweep: "Sweep") -> go.Figure:
    """Return each trial's best validation accuracy by its number, and the best so far as a line."""
    figure = go.Figure()
    for outcome, name, symbol, color in (
        (Outcome.FINISHED, "finished", "circle", palette.TRAINING),
        (Outcome.PRUNED, "ended early", "circle-open", palette.NEUTRAL),
        (Outcome.RUNNING, "running", "diamond-open", palette.ACCENT),
    ):
        shown = [one for one in sweep.trials if one.outcome == outcome and one.best is not None]
        figure.add_scatter(
            x=[one.number for one in shown],
            y=[one.best for one in shown],
            text=[_description(one) for one in shown],
            name=name,
            mode="markers",
            marker={"symbol": symbol, "size": 8, "color": color},
            cliponaxis=False,
            hovertemplate="trial %{x}: %{y:.2%}<br>%{text}<extra></extra>",
        )
    numbers, best = _best_so_far(sweep)
    figure.add_scatter(
        x=numbers,
        y=best,
        name="best so far",
        mode="lines",
        line={"color": palette.VALIDATION, "width": 2, "shape": "hv"},
        hovertemplate="best after trial %{x}: %{y:.2%}<extra></extra>",
    )
    return figure.update_layout(
        title="Every trial",
        xaxis={"title": "trial", "rangemode": "nonnegative"},
        yaxis={"title": "validation accuracy", "tickformat": ".1%"},
    )


def _best_so_far(sweep: "Sweep") -> tuple[list[int], list[float]]:
    numbers: list[int] = []
    best: list[float] = []
    for one in sweep.trials:
        if one.accuracy is not None:
            numbers.append(one.number)
            best.append(max([one.accuracy, *best[-1:]]))
    if numbers and numbers[-1] < len(sweep.trials):
        numbers.append(len(sweep.trials))
        best.append(best[-1])
    return numbers, best


def _description(trial: "Trial") -> str:
    return "<br>".join(
        f"{escape(field)} {escape(written(value))}" for field, value in trial.settings.items()
    )


def parallel_coordinates(sweep: "Sweep") -> go.Figure:
    """Return a line for each trial through its settings to its best validation accuracy.

    Dragging along an axis selects a range; lines outside it fade.
    """
    shown = [one for one in sweep.trials if one.best is not None]
    reached = [one.best or 0.0 for one in shown]
    dimensions = [
        _dimension(field, bounds, [one.settings[field] for one in shown])
        for field, bounds in sweep.plan.space.items()
    ]
    dimensions.append({"label": "validation", "values": reached, "tickformat": ".1%"})
    figure = go.Figure()
    figure.add_parcoords(
        line={"color": reached, "colorscale": _SCALE, "showscale": False},
        dimensions=dimensions,
        unselected={"line": {"opacity": 0.08}},
    )
    return figure.update_layout(margin={"l": 70, "r": 50, "t": 50, "b": 20})


def _dimension(field: str, bounds: "Domain", values: "Sequence[Any]") -> dict[str, Any]:
    """Return an axis: logarithmic if the bounds are, and with equal steps for lists of values."""
    label = field.replace("_", " ")
    if not isinstance(bounds, Range):
        # Earlier trials may have values outside the bounds, if those were changed since.
        names = list(dict.fromkeys([*bounds.values, *values]))
        ticks = {"tickvals": list(range(len(names))), "ticktext": [written(one) for one in names]}
        return {"label": label, "values": [names.index(value) for value in values], **ticks}
    low, high = min(bounds.low, *values), max(bounds.high, *values)
    if not bounds.log or low <= 0:
        return {"label": label, "values": list(values), "range": [low, high]}
    first, last = math.log10(low), math.log10(high)
    marks = [first + (last - first) * number / (_TICKS - 1) for number in range(_TICKS)]
    return {
        "label": label,
        "values": [math.log10(value) for value in values],
        "range": [first, last],
        "tickvals": marks,
        "ticktext": [f"{10**mark:.2g}" for mark in marks],
    }


def importances(shares: dict[str, float]) -> go.Figure:
    """Return each field's importance as bars, the largest on top: its share of the differences."""
    figure = go.Figure()
    fields = list(reversed(shares))
    figure.add_bar(
        x=[shares[field] for field in fields],
        y=[field.replace("_", " ") for field in fields],
        orientation="h",
        marker={"color": palette.TRAINING},
        hovertemplate="%{y}: %{x:.0%}<extra></extra>",
    )
    return figure.update_layout(
        title="What made the difference",
        xaxis={"title": "share of the differences", "tickformat": ".0%", "range": [0, 1]},
        yaxis={"automargin": True},
    )

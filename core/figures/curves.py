"""Plotly figures of trainings: metrics over time, and accuracy against cost."""

from collections.abc import Sequence
from html import escape, unescape
from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures import palette

if TYPE_CHECKING:
    from core.runs.history import History


def training_curves(
    history: "History",
    metric: str,
    total_epochs: int,
    logarithmic: bool = False,
    beside: "tuple[str, History] | None" = None,
) -> go.Figure:
    """Return `loss` or `accuracy` over epochs: training by step and epoch, validation by epoch.

    `beside` is the name and history of another run, drawn in gray on the same axes. It is not in
    the legend, so that the curves have as much room as with one run.
    """
    steps, epochs = history.steps, history.epochs
    figure = go.Figure()
    form = ".2%" if metric == "accuracy" else ".4f"
    figure.add_scatter(
        x=_begun(steps["epoch"]),
        y=_begun(steps[metric]),
        name="training, by step",
        mode="lines",
        line={"color": palette.TRAINING, "width": 1},
        opacity=0.4,
        hovertemplate=f"%{{y:{form}}}<extra>training, by step</extra>",
    )
    for split, color in (("train", palette.TRAINING), ("validation", palette.VALIDATION)):
        _epoch_line(figure, epochs, f"{split}_{metric}", _SPLITS[split], {"color": color}, form)
    if beside:
        name, other = escape(beside[0], quote=False), beside[1].epochs
        for split, dash in (("train", "dot"), ("validation", "solid")):
            line = {"color": palette.NEUTRAL, "dash": dash}
            label = f"{_SPLITS[split]}, {name}"
            _epoch_line(figure, other, f"{split}_{metric}", label, line, form)
            figure.data[-1].showlegend = False
    best = epochs.loc[[_best(epochs)]] if len(epochs) else epochs
    figure.add_scatter(
        x=_begun(best["epoch"]),
        y=_begun(best[f"validation_{metric}"]),
        name="best epoch",
        mode="markers",
        marker={"symbol": "circle-open", "size": 14, "color": palette.VALIDATION},
        cliponaxis=False,
        hoverinfo="skip",
    )
    title = "Loss, lower is better" if metric == "loss" else "Accuracy, higher is better"
    axis: dict[str, Any] = {"tickformat": "" if metric == "loss" else ".4~%"}
    if steps.empty and epochs.empty and not (beside and len(beside[1].epochs)):
        axis["range"] = _EMPTY[metric]
    else:
        axis["autorangeoptions"] = _CALM[metric]
    figure.update_layout(
        title=title,
        xaxis={"title": "epoch", "range": [0, total_epochs]},
        yaxis={"title": "cross-entropy, nats" if metric == "loss" else "right answers", **axis},
    )
    if logarithmic:
        figure.update_layout(yaxis={"type": "log", "range": None, "autorangeoptions": None})
    return figure


_SPLITS = {"train": "training", "validation": "validation"}
# The axis before there are points; a network that only guesses has a loss of 2.3 nats.
_EMPTY = {"accuracy": [0, 1], "loss": [0, 2.5]}
# With points, one end of the axis is fixed at the best possible value, and no tick lies beyond it.
_CALM = {
    "accuracy": {"include": 1, "clipmin": 0, "clipmax": 1},
    "loss": {"include": 0, "clipmin": 0},
}


def _begun(values: "pd.Series[Any]") -> "pd.Series[Any] | list[None]":
    """Return the values, or [None] if there are none: then the legend still has this line."""
    return values if len(values) else [None]


def _epoch_line(
    figure: go.Figure,
    epochs: pd.DataFrame,
    column: str,
    label: str,
    line: dict[str, str],
    form: str,
) -> None:
    figure.add_scatter(
        x=_begun(epochs["epoch"]),
        y=_begun(epochs[column]),
        name=label,
        mode="lines+markers",
        line={"width": 2, **line},
        cliponaxis=False,  # the last epoch is on the edge
        hovertemplate=f"%{{y:{form}}}<extra>{label}</extra>",
    )


def _best(epochs: pd.DataFrame) -> int:
    """Return the row of the best epoch, the last of equals, as in the training loop."""
    return int(epochs["validation_accuracy"][::-1].idxmax())


def learning_rate(history: "History", total_epochs: int, highest: float) -> go.Figure:
    """Return the learning rate over epochs; `highest` is the highest rate of the schedule."""
    figure = go.Figure()
    figure.add_scatter(
        x=history.steps["epoch"],
        y=history.steps["learning_rate"],
        mode="lines",
        line={"color": palette.TRAINING},
        hovertemplate="%{y:.3g}<extra></extra>",
    )
    figure.update_layout(
        title="Learning rate",
        xaxis={"title": "epoch", "range": [0, total_epochs]},
        yaxis={"range": [0, 1.05 * highest]},
    )
    return figure


# As shares of the plot's width and height, on a phone: the width of a character, half the height of
# a name, half the width of a point, and how far above its point a name is.
_CHARACTER, _HALF, _RADIUS = 0.024, 0.035, 0.02
_ROWS = {"top": 0.09, "bottom": -0.09, "middle": 0.0}
_LEGEND, _POINT = 40, 24  # characters of a name in a legend, and beside a point
RUN_METRICS = {
    "validation_accuracy": "Validation accuracy, higher is better",
    "validation_loss": "Validation loss, lower is better",
    "train_accuracy": "Training accuracy, higher is better",
    "train_loss": "Training loss, lower is better",
}


def setting_curves(
    histories: "dict[str, list[pd.DataFrame]]", metric: str, by_seconds: bool = False
) -> go.Figure:
    """Return a metric of several settings over epochs or seconds.

    `histories` maps each setting's label to the `History.epochs` of its runs. One run is a line
    with a ring at its best epoch. Several runs are their mean in a band of one standard deviation
    each way, over the epochs that at least two of them have.
    """
    figure = go.Figure()
    over = "total_seconds" if by_seconds else "epoch"
    accuracy = metric.endswith("accuracy")
    for (label, members), color in zip(
        histories.items(), cycle(palette.CLASS_COLORS), strict=False
    ):
        name = _cut(label, _LEGEND)
        form = f"%{{y:{'.2%' if accuracy else '.4f'}}}"
        begun = [epochs for epochs in members if len(epochs)]
        if len(begun) > 1:
            _mean_and_band(figure, begun, over, metric, name, color, form)
        else:
            _alone(figure, (begun or members)[0], over, metric, name, color, form)
    longest = max((len(epochs) for members in histories.values() for epochs in members), default=0)
    figure.update_layout(
        title=RUN_METRICS[metric],
        xaxis={
            "title": "seconds of training" if by_seconds else "epoch",
            "rangemode": "tozero",
            "dtick": 1 if longest <= 12 and not by_seconds else None,  # no half epochs
        },
        yaxis={
            "title": "right answers" if accuracy else "cross-entropy, nats",
            "tickformat": ".4~%" if accuracy else "",
        },
        uirevision=f"{metric} {over}",
    )
    return figure


def _cut(label: str, most: int) -> str:
    """Return a label cut to at most `most` characters, with HTML escaped."""
    short = label if len(label) <= most else f"{label[: most - 1].rstrip()}…"
    return escape(short, quote=False)


def _alone(
    figure: go.Figure,
    epochs: pd.DataFrame,
    over: str,
    metric: str,
    name: str,
    color: str,
    form: str,
) -> None:
    """Add one run's curve, with a ring at its best epoch."""
    best = (
        epochs["epoch"] == epochs.loc[_best(epochs), "epoch"]
        if epochs["validation_accuracy"].notna().any()
        else epochs["epoch"] < 0
    )
    figure.add_scatter(
        x=epochs[over],
        y=epochs[metric],
        name=name,
        mode="lines+markers",
        line={"color": color, "width": 2},
        marker={
            "size": np.where(best, 11, 5),
            "symbol": np.where(best, "circle-open", "circle"),
            "line": {"width": 2},
        },
        hovertemplate=form,
    )


def _mean_and_band(
    figure: go.Figure,
    members: list[pd.DataFrame],
    over: str,
    metric: str,
    name: str,
    color: str,
    form: str,
) -> None:
    """Add the mean of several runs' curves, and a band of their sample standard deviation."""
    by_epoch = pd.concat(members).groupby("epoch")
    shared = by_epoch.size() >= min(2, by_epoch.size().max())
    mean = by_epoch[["total_seconds", metric]].mean()[shared].reset_index()
    spread = by_epoch[metric].std()[shared].fillna(0).to_numpy()
    x, middle = mean[over].to_numpy(), mean[metric].to_numpy()
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([middle + spread, (middle - spread)[::-1]]),
        fill="toself",
        fillcolor=color,
        opacity=0.2,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
    )
    figure.add_scatter(
        x=x,
        y=middle,
        name=f"{name}, mean of {len(members)}",
        mode="lines+markers",
        line={"color": color, "width": 2},
        marker={"size": 5},
        customdata=spread,
        hovertemplate=f"{form} ± %{{customdata:{form[4:-1]}}}",
        legendgroup=name,
    )


def accuracy_against(
    runs: "pd.DataFrame", labels: list[str], column: str, places: list[int] | None = None
) -> go.Figure:
    """Return test accuracy, with its 95 % interval, against `train_seconds` or `parameters`.

    `runs` is the table of `compare.table`. Runs without a test accuracy are left out. `places` are
    the numbers of the runs' settings: runs of a setting share a color, and only the first is named.
    The names are beside the points or, if one has no room there, in a legend.
    """
    figure = go.Figure()
    unit = {"train_seconds": "seconds of training", "parameters": "parameters"}[column]
    named: set[int] = set()
    rows = zip(runs.to_dict("records"), labels, places or range(len(labels)), strict=True)
    for run, label, place in rows:
        accuracy, low, high = run["test_accuracy"], run["test_low"], run["test_high"]
        if pd.isna(accuracy) or pd.isna(run[column]):
            continue
        color = palette.CLASS_COLORS[place % 10]
        figure.add_scatter(
            x=[run[column]],
            y=[accuracy],
            error_y={
                "symmetric": False,
                "array": [high - accuracy],
                "arrayminus": [accuracy - low],
                "thickness": 1,
                "width": 4,
            },
            name=_cut(label, _LEGEND),
            legendgroup=str(place),
            showlegend=place not in named,
            mode="markers+text",
            text=["" if place in named else _cut(label, _POINT)],
            cliponaxis=False,
            marker={"size": 11, "color": color},
            hovertemplate=f"%{{fullData.name}}<br>%{{y:.2%}} ({low:.2%}–{high:.2%})"
            "<br>%{x:,.4~r} " + unit + "<extra></extra>",
        )
        named.add(place)
    has_room = _set_names_apart(figure)
    if not has_room:
        figure.update_traces(text=[""])
    figure.update_layout(
        title=f"Test accuracy against {'training time' if unit[0] == 's' else unit}",
        xaxis={"title": unit, "rangemode": "tozero", "tickformat": ",~r"},
        yaxis={"title": "right answers", "tickformat": ".4~%"},
        hovermode="closest",
        showlegend=not has_room,
    )
    return figure


def _set_names_apart(figure: go.Figure) -> bool:
    """Put each name beside its point, clear of all points, bars and names; return if that works."""
    x = np.array([trace.x[0] for trace in figure.data], float)
    x /= x.max(initial=0) or 1  # this axis begins at 0
    bars = [trace.error_y for trace in figure.data]
    y, above, below = (
        np.array(values, float)
        for values in (
            [trace.y[0] for trace in figure.data],
            [bar.array[0] for bar in bars],
            [bar.arrayminus[0] for bar in bars],
        )
    )
    high, low = y + above, y - below
    height = np.ptp(np.concatenate([high, low])) or 1 if len(y) else 1
    # What is taken: left, right, bottom and top of each bar with its point, and then of each name.
    taken = [*zip(x - _RADIUS, x + _RADIUS, low / height, high / height, strict=True)]
    for trace, across, up in zip(figure.data, x, y / height, strict=True):
        if not trace.text[0]:
            continue
        width = _CHARACTER * len(unescape(trace.text[0]))
        for row, edge in product(_ROWS, ("right", "left")):
            begin = across + (1.5 * _RADIUS if edge == "right" else -1.5 * _RADIUS - width)
            middle = up + _ROWS[row]
            name = begin, begin + width, middle - _HALF, middle + _HALF
            if 0 <= begin <= 1 + _RADIUS - width and not any(_overlap(name, one) for one in taken):
                trace.textposition = f"{row} {edge}"
                taken.append(name)
                break
        else:
            return False
    return True


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether two boxes, each left, right, bottom and top, overlap."""
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]

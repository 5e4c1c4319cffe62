"""Tables → Plotly figures; no Streamlit. Fonts, backgrounds and grids are the theme's."""

from html import escape
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core import palette

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.runs import History


def training_curves(
    history: "History", metric: str, total_epochs: int, logarithmic: bool = False
) -> go.Figure:
    """Return `loss` or `accuracy` over epochs: training by step and epoch, validation by epoch."""
    steps, epochs = history.steps, history.epochs
    figure = go.Figure()
    form = ".2%" if metric == "accuracy" else ".4f"
    figure.add_scatter(
        x=steps["epoch"],
        y=steps[metric],
        name="training, by step",
        mode="lines",
        line={"color": palette.TRAINING, "width": 1},
        opacity=0.4,
        hovertemplate=f"%{{y:{form}}}<extra>training, by step</extra>",
    )
    for split, colour in (("train", palette.TRAINING), ("validation", palette.VALIDATION)):
        label = {"train": "training", "validation": "validation"}[split]
        figure.add_scatter(
            x=epochs["epoch"],
            y=epochs[f"{split}_{metric}"],
            name=label,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            hovertemplate=f"%{{y:{form}}}<extra>{label}</extra>",
        )
    if len(epochs):
        best = epochs.loc[epochs["validation_accuracy"].idxmax()]
        figure.add_scatter(
            x=[best["epoch"]],
            y=[best[f"validation_{metric}"]],
            name="best epoch",
            mode="markers",
            marker={"symbol": "circle-open", "size": 14, "color": palette.VALIDATION},
            hoverinfo="skip",
        )
    title = "Loss, lower is better" if metric == "loss" else "Accuracy, higher is better"
    figure.update_layout(
        title=title,
        xaxis={"title": "epoch", "range": [0, total_epochs]},
        yaxis={
            "title": "cross-entropy, nats" if metric == "loss" else "right answers",
            "type": "log" if logarithmic else "linear",
            "tickformat": "" if metric == "loss" else ".0%",
        },
    )
    return figure


def learning_rate(history: "History", total_epochs: int) -> go.Figure:
    """Return the learning rate over epochs."""
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
        yaxis={"rangemode": "tozero"},
    )
    return figure


def reliability(told: pd.DataFrame, calibrated: pd.DataFrame) -> go.Figure:
    """Return accuracy over confidence before and after calibration; on the dashed line they agree.

    The tables are `calibrate.reliability`'s.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": palette.NEUTRAL, "width": 1, "dash": "dash"},
        hoverinfo="skip",
        showlegend=False,
    )
    for table, name, colour in (
        (told, "as the network says", palette.NEUTRAL),
        (calibrated, "calibrated", palette.ACCENT),
    ):
        figure.add_scatter(
            x=table["confidence"],
            y=table["accuracy"],
            customdata=table[["count"]],
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            hovertemplate="%{customdata[0]:,} answers, %{x:.1%} sure: %{y:.1%} right"
            f"<extra>{name}</extra>",
        )
    figure.update_layout(
        title="How often it is right when it says so",
        xaxis={"title": "confidence", "range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"title": "right answers", "range": [0, 1.05], "tickformat": ".0%"},
        hovermode="closest",
    )
    return figure


def confusion_map(
    matrix: "NDArray[np.int64]", normalised: bool = False, hide_diagonal: bool = False
) -> go.Figure:
    """Return `(10, 10)` counts (row: truth, column: answer) as a heatmap with a number a cell.

    Normalised, the numbers are percentages of each row. Colours follow the logarithm, so that a
    handful of mistakes shows beside a thousand right answers. A cell's x is the answer, its y the
    truth.
    """
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    numbers = [f"{share:.1%}"[:-1] for share in shares.flat] if normalised else matrix.flat
    texts = [
        str(number) if count else "" for number, count in zip(numbers, matrix.flat, strict=True)
    ]
    colours = np.log1p(1_000 * shares if normalised else matrix)
    hidden = np.eye(10, dtype=bool) & hide_diagonal
    figure = go.Figure()
    figure.add_heatmap(
        z=np.where(hidden, np.nan, colours),
        x=list(range(10)),
        y=list(range(10)),
        text=np.where(hidden, "", np.array(texts).reshape(10, 10)),
        texttemplate="%{text}",
        customdata=np.stack([matrix, shares], -1),
        hovertemplate="%{y} read as %{x}: %{customdata[0]:,}"
        "<br>%{customdata[1]:.2%} of all %{y}s<extra></extra>",
        hoverongaps=False,
        showscale=False,
        zmin=0,
        xgap=1,
        ygap=1,
    )
    digits = {"dtick": 1, "showgrid": False, "zeroline": False, "fixedrange": True}
    figure.update_layout(
        title=_confusion_title(matrix),
        xaxis={"title": "answer", **digits},
        yaxis={"title": "truth", "autorange": "reversed", **digits},
        dragmode=False,  # a drag that is meant as a click
    )
    return figure


def _confusion_title(matrix: "NDArray[np.int64]") -> str:
    """Return how many are wrong, and the most frequent mistake."""
    mistakes = matrix * (1 - np.eye(10, dtype=np.int64))
    if not mistakes.any():
        return f"All {matrix.sum():,} are right"
    truth, answer = divmod(int(mistakes.argmax()), 10)
    return f"{mistakes.sum():,} of {matrix.sum():,} wrong, most often {truth} read as {answer}"


def probability_bars(probabilities: "NDArray[np.float32]", truth: int | None = None) -> go.Figure:
    """Return the ten probabilities `(10,)` as bars in the classes' colours; the truth is named."""
    answer = int(probabilities.argmax())
    marks = {answer: "answer"} | ({} if truth is None else {truth: "truth"})
    names = [f"<b>{d}</b><br>{marks[d]}" if d in marks else f"{d}<br> " for d in range(10)]
    figure = go.Figure()
    figure.add_bar(
        x=list(range(10)),
        y=probabilities,
        marker={"color": list(palette.CLASS_COLOURS)},
        text=[
            f"{share:.1%}".replace("%", " %") if share >= 0.005 else "" for share in probabilities
        ],
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.4%}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"tickvals": list(range(10)), "ticktext": names, "fixedrange": True},
        yaxis={"range": [0, 1], "tickformat": ".0%", "dtick": 0.5, "fixedrange": True},
        showlegend=False,
        bargap=0.25,
        dragmode=False,
    )
    return figure


RUN_METRICS = {
    "validation_accuracy": "Validation accuracy, higher is better",
    "validation_loss": "Validation loss, lower is better",
    "train_accuracy": "Training accuracy, higher is better",
    "train_loss": "Training loss, lower is better",
}


def run_curves(
    courses: "dict[str, pd.DataFrame]", metric: str, by_seconds: bool = False
) -> go.Figure:
    """Return a metric of several runs over epochs or seconds; best epochs are ringed.

    `courses` has each run's `History.epochs` by its label; `metric` is a key of RUN_METRICS.
    """
    figure = go.Figure()
    over = "total_seconds" if by_seconds else "epoch"
    accuracy = metric.endswith("accuracy")
    for (label, epochs), colour in zip(courses.items(), cycle(palette.CLASS_COLOURS), strict=False):
        best = (
            epochs["epoch"] == epochs.loc[epochs["validation_accuracy"].idxmax(), "epoch"]
            if epochs["validation_accuracy"].notna().any()
            else epochs["epoch"] < 0
        )
        figure.add_scatter(
            x=epochs[over],
            y=epochs[metric],
            name=escape(label, quote=False),
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={
                "size": np.where(best, 11, 5),
                "symbol": np.where(best, "circle-open", "circle"),
                "line": {"width": 2},
            },
            hovertemplate=f"%{{y:{'.2%' if accuracy else '.4f'}}}",
        )
    longest = max((len(epochs) for epochs in courses.values()), default=0)
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


def accuracy_against(runs: "pd.DataFrame", labels: list[str], column: str) -> go.Figure:
    """Return test accuracy, with its 95 % interval, against `train_seconds` or `parameters`.

    `runs` is `compare.table`'s. Runs without a test accuracy are left out.
    """
    figure = go.Figure()
    unit = {"train_seconds": "seconds of training", "parameters": "parameters"}[column]
    rows = zip(runs.to_dict("records"), labels, cycle(palette.CLASS_COLOURS), strict=False)
    for run, label, colour in rows:
        accuracy, low, high = run["test_accuracy"], run["test_low"], run["test_high"]
        if pd.isna(accuracy) or pd.isna(run[column]):
            continue
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
            name=escape(label, quote=False),
            mode="markers",
            marker={"size": 11, "color": colour},
            hovertemplate=f"%{{fullData.name}}<br>%{{y:.2%}} ({low:.2%}–{high:.2%})"
            "<br>%{x:,.4~r} " + unit + "<extra></extra>",
        )
    figure.update_layout(
        title=f"Test accuracy against {'training time' if unit[0] == 's' else unit}",
        xaxis={"title": unit, "rangemode": "tozero", "tickformat": ",~r"},
        yaxis={"title": "right answers", "tickformat": ".4~%"},
        hovermode="closest",
        showlegend=False,
    )
    return figure


def pixel_values(image: "NDArray[np.uint8]") -> go.Figure:
    """Return one `(28, 28)` image, white on black, with the value of each pixel that has ink."""
    figure = go.Figure()
    for chosen, colour in ((image < 128, "#ffffff"), (image >= 128, "#000000")):
        figure.add_heatmap(
            z=np.where(chosen, image, np.nan),
            text=np.where(chosen & (image > 0), image.astype(str), ""),
            texttemplate="%{text}",
            textfont={"color": colour},
            colorscale=[[0, "#000000"], [1, "#ffffff"]],
            zmin=0,
            zmax=255,
            showscale=False,
            hoverongaps=False,
            hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>",
        )
    axis = {"showgrid": False, "zeroline": False, "tickvals": list(range(0, 28, 3))}
    figure.update_layout(
        margin={"l": 24, "r": 4, "t": 4, "b": 24},
        xaxis={**axis, "constrain": "domain"},
        yaxis={
            **axis,
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
            "constraintoward": "top",
        },
    )
    return figure


def class_shares(counts: pd.DataFrame) -> go.Figure:
    """Return each digit's share of its split, from `explore.class_counts`."""
    figure = go.Figure()
    for split, label, colour in (
        ("train", "training", palette.TRAINING),
        ("test", "test", palette.TEST),
    ):
        figure.add_bar(
            x=counts.index,
            y=counts[split] / counts[split].sum(),
            customdata=counts[split],
            name=label,
            marker={"color": colour},
            hovertemplate=f"%{{customdata:,}} images, %{{y:.2%}}<extra>{label}</extra>",
        )
    figure.update_layout(
        title="Images per digit",
        bargap=0.3,
        xaxis={"title": "digit", "dtick": 1, "showgrid": False},
        yaxis={"title": "share of the split", "tickformat": ".0%"},
    )
    return figure


def digit_map(points: pd.DataFrame, title: str) -> go.Figure:
    """Return images as points coloured by digit, from columns x, y, digit and index.

    Each point's customdata is its row in `points`, as the chart's `tiles` want it, and its index.
    """
    figure = go.Figure()
    numbered = points.assign(row=range(len(points)))
    for digit, group in numbered.groupby("digit"):
        figure.add_scatter(
            x=group["x"],
            y=group["y"],
            customdata=group[["row", "index"]].to_numpy(),
            name=str(digit),
            mode="markers",
            marker={"size": 6, "opacity": 0.8, "color": palette.CLASS_COLOURS[int(digit)]},
            hovertemplate=f"{digit}, image %{{customdata[1]:,}}<extra></extra>",
        )
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False}
    figure.update_layout(title=title, xaxis=bare, yaxis={**bare, "scaleanchor": "x"})
    return figure

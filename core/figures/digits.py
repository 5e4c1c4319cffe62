"""Plotly figures of digits and answers. The theme sets fonts, backgrounds and grids."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from core.figures import palette

if TYPE_CHECKING:
    from numpy.typing import NDArray


def reliability(uncalibrated: pd.DataFrame, calibrated: pd.DataFrame) -> go.Figure:
    """Return the reliability diagram: accuracy over confidence, before and after calibration.

    The tables are from `calibration.reliability`.
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
    for table, name, color in (
        (uncalibrated, "before calibration", palette.NEUTRAL),
        (calibrated, "after calibration", palette.ACCENT),
    ):
        figure.add_scatter(
            x=table["confidence"],
            y=table["accuracy"],
            customdata=table[["count"]],
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 2},
            hovertemplate="%{customdata[0]:,} answers, %{x:.1%} sure: %{y:.1%} right"
            f"<extra>{name}</extra>",
        )
    figure.update_layout(
        title="Accuracy at each confidence; ideally on the dashed line",
        xaxis={"title": "confidence", "range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"title": "right answers", "range": [0, 1.05], "tickformat": ".0%"},
        hovermode="closest",
    )
    return figure


def confusion_map(
    matrix: "NDArray[np.int64]", normalized: bool = False, hide_diagonal: bool = False
) -> go.Figure:
    """Return `(10, 10)` counts (row: truth, column: answer) as a heatmap with numbers in its cells.

    If normalized, the numbers are percentages of each row. Colors follow the logarithm, so that a
    handful of mistakes is visible beside a thousand right answers. A cell's x is the answer, its y
    the truth.
    """
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    numbers = [f"{share:.1%}"[:-1] for share in shares.flat] if normalized else matrix.flat
    texts = [
        str(number) if count else "" for number, count in zip(numbers, matrix.flat, strict=True)
    ]
    colors = np.log1p(1_000 * shares if normalized else matrix)
    hidden = np.eye(10, dtype=bool) & hide_diagonal
    figure = go.Figure()
    figure.add_heatmap(
        z=np.where(hidden, np.nan, colors),
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
        dragmode=False,  # so that a small drag counts as a click
    )
    return figure


def _confusion_title(matrix: "NDArray[np.int64]") -> str:
    """Return a title with the number of mistakes and the most frequent one."""
    mistakes = matrix * (1 - np.eye(10, dtype=np.int64))
    if not mistakes.any():
        count = matrix.sum()
        return "The only image is right" if count == 1 else f"All {count:,} images are right"
    truth, answer = divmod(int(mistakes.argmax()), 10)
    return f"{mistakes.sum():,} of {matrix.sum():,} wrong, most often {truth} read as {answer}"


def probability_bars(probabilities: "NDArray[np.float32]", truth: int | None = None) -> go.Figure:
    """Return the probabilities `(10,)` as bars, with the answer and the truth marked.

    All are zero if there is no answer.
    """
    marks = {int(probabilities.argmax()): "answer"} if probabilities.any() else {}
    beside = truth is not None and marks.keys() & {truth - 1, truth + 1}
    lower = "<br>" if beside else ""  # two words side by side would run into each other
    marks |= {} if truth is None else {truth: f"{lower}truth"}
    names = [f"<b>{d}</b><br>{marks[d]}" if d in marks else f"{d}<br> " for d in range(10)]
    figure = go.Figure()
    figure.add_bar(
        x=list(range(10)),
        y=probabilities,
        marker={"color": list(palette.CLASS_COLORS)},
        text=[_bar_label(share) for share in probabilities],
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.4%}<extra></extra>",
    )
    figure.update_layout(
        xaxis={"tickvals": list(range(10)), "ticktext": names, "tickangle": 0, "fixedrange": True},
        yaxis={"range": [0, 1], "tickformat": ".0%", "dtick": 0.5, "fixedrange": True},
        showlegend=False,
        bargap=0.25,
        dragmode=False,
        margin={"l": 48, "r": 12, "b": 65 if beside else 50},  # for two lines of names, or three
    )
    return figure


def _bar_label(share: float) -> str:
    """Return a probability in percent: never 100 % if it is below 1, and empty if it is tiny."""
    if 0.9995 <= share < 1:
        return ">99.9 %"
    return f"{share:.1%}".replace("%", " %") if share >= 0.005 else ""


def pixel_values(image: "NDArray[np.uint8]") -> go.Figure:
    """Return one `(28, 28)` image, white on black, with the value of each pixel that has ink."""
    figure = go.Figure()
    for chosen, color in ((image < 128, "#ffffff"), (image >= 128, "#000000")):
        figure.add_heatmap(
            z=np.where(chosen, image, np.nan),
            text=np.where(chosen & (image > 0), image.astype(str), ""),
            texttemplate="%{text}",
            textfont={"color": color},
            colorscale=[[0, "#000000"], [1, "#ffffff"]],
            zmin=0,
            zmax=255,
            showscale=False,
            hoverongaps=False,
            hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>",
        )
    figure.update_layout(**_SQUARE)
    return figure


_AXIS = {"showgrid": False, "zeroline": False, "tickvals": list(range(0, 28, 3))}
_SQUARE = {
    "margin": {"l": 24, "r": 4, "t": 6, "b": 26},
    "xaxis": {**_AXIS, "constrain": "domain"},
    "yaxis": {
        **_AXIS,
        "autorange": "reversed",
        "scaleanchor": "x",
        "constrain": "domain",
        "constraintoward": "top",
    },
}


def evidence(
    image: "NDArray[np.float32]", values: "NDArray[np.float32]", answer: int, rival: int
) -> go.Figure:
    """Return the digit overlaid with the evidence for the answer and the rival, and a legend.

    `image` is (28, 28) in [0, 1], `values` (28, 28) are from `explanation.evidence`. Neighboring
    pixels are averaged, and the strongest hundredth has full color, so that regions stand out.
    """
    from scipy import ndimage

    figure = go.Figure()
    figure.add_heatmap(
        z=image,
        zmin=0,
        zmax=1.6,  # the brightest ink is a gray on which both colors show
        colorscale=[[0, "black"], [1, "white"]],
        showscale=False,
        hoverinfo="skip",
    )
    smooth = ndimage.gaussian_filter(values, _SMOOTH)
    strongest = float(np.quantile(np.abs(smooth), 0.99)) or 1.0
    colors = (palette.VALIDATION, palette.TRAINING)
    against, towards = (f"rgba{(*hex_to_rgb(color), 0.9)}" for color in colors)
    clear = [f"rgba{(*hex_to_rgb(color), 0)}" for color in colors]
    figure.add_heatmap(
        z=smooth,
        customdata=values,
        zmin=-strongest,
        zmax=strongest,
        colorscale=[[0, against], [0.5, clear[0]], [0.5, clear[1]], [1, towards]],
        showscale=False,
        hovertemplate=f"row %{{y}}, column %{{x}}: %{{customdata:+.3f}} for {answer} against "
        f"{rival}<extra></extra>",
    )
    for digit, color in ((answer, palette.TRAINING), (rival, palette.VALIDATION)):
        figure.add_scatter(
            x=[None],
            y=[None],
            name=f"speaks for {digit}",
            mode="markers",
            marker={"color": color, "symbol": "square", "size": 12},
        )
    bare = {"showticklabels": False}
    figure.update_layout(**_SQUARE)
    legend = {"x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"}
    margin = {"l": 4, "b": 4, "t": 32}
    figure.update_layout(margin=margin, xaxis=bare, yaxis=bare, legend=legend)
    return figure


_SMOOTH = 0.7  # pixels, the standard deviation of the Gaussian blur


def class_shares(counts: pd.DataFrame) -> go.Figure:
    """Return bars of each digit's share of its split, from `statistics.class_counts`."""
    figure = go.Figure()
    for split, label, color in (
        ("train", "training", palette.TRAINING),
        ("test", "test", palette.TEST),
    ):
        figure.add_bar(
            x=counts.index,
            y=counts[split] / counts[split].sum(),
            customdata=counts[split],
            name=label,
            marker={"color": color},
            hovertemplate=f"%{{customdata:,}} images, %{{y:.2%}}<extra>{label}</extra>",
        )
    figure.update_layout(
        title="Images per digit",
        bargap=0.3,
        xaxis={"title": "digit", "dtick": 1, "showgrid": False},
        yaxis={"title": "share of the split", "tickformat": ".0%"},
    )
    return figure

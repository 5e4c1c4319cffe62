"""What a run gets wrong: the images of a cell, one of them closely, the tables, the downloads."""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.evaluation import metrics
from core.evaluation.metrics import Report
from core.figures.digits import probability_bars
from core.runs.answers import Result
from core.runs.run import Run
from ui import format, keys
from ui.components.chart import Click, chart
from ui.components.gallery import gallery
from ui.components.tiles import tile
from ui.explanation import why

if TYPE_CHECKING:
    import pandas as pd


PAGE = 60  # images
_ALL, _CELL = "mistakes", "cell"
_NO_BREAK = "\u00a0"  # so that a caption's line ends nowhere but before the image's number


def matrix_key(run: Run, split: str) -> str:
    """Return the key of a run's confusion matrix: a click does not outlive run or split."""
    return f"confusion-{run.id}-{split}"


def show_cell() -> None:
    """Turn from all mistakes to the cell that was clicked."""
    st.session_state[keys.SHOWN_IMAGES] = _CELL


def mistakes(run: Run, split: str, result: Result, cell: Click | None) -> None:
    """Show the clicked cell's images or all mistakes, and one of them with its probabilities."""
    answers = metrics.answers(result.probabilities, result.labels, result.indices)
    wrong = answers["truth"] != answers["answer"]
    sets = {_ALL: answers[wrong].sort_values("confidence", ascending=False)}
    titles = {_ALL: f"All mistakes ({wrong.sum():,})"}
    if cell is not None:
        truth, answer = int(cell["y"]), int(cell["x"])
        inside = answers[(answers["truth"] == truth) & (answers["answer"] == answer)]
        # Of mistakes the surest is the most telling, of right answers the least sure.
        sets[_CELL] = inside.sort_values("confidence", ascending=truth == answer)
        titles[_CELL] = f"{truth} → {answer} ({len(inside):,})"
    if st.session_state.get(keys.SHOWN_IMAGES) not in sets:
        st.session_state[keys.SHOWN_IMAGES] = _ALL
    shown = st.segmented_control(
        "Images shown",
        list(sets),
        format_func=titles.__getitem__,
        key=keys.SHOWN_IMAGES,
        required=True,
        label_visibility="collapsed",
        help="Every mistake, or the images of the cell you clicked.",
    )
    shown = shown or _ALL  # one is required; its type says otherwise
    chosen = _gallery(sets[shown], result, f"{run.id}-{split}-{titles[shown]}")
    if chosen is not None:
        _closely(run, int(chosen), answers, result)


def _gallery(shown: "pd.DataFrame", result: Result, key: str) -> int | None:
    """Show a page of images in a frame of fixed height; return the position of the chosen one."""
    pages = max(1, -(-len(shown) // PAGE))
    with st.container(height=345, border=False):
        if shown.empty:
            st.info("No image here.", icon=":material/check_circle:")
            return None
        page = st.session_state.get(f"page-{key}", 1)
        part = shown.iloc[(page - 1) * PAGE : page * PAGE]
        index = gallery(
            result.images[part.index],
            [_caption(row) for row in part.itertuples()],
            f"gallery-{key}-{page}",
            wrong=(part["truth"] != part["answer"]).to_numpy(),
            size=64,
        )
    with st.container(height=40, border=False):  # as high without pages, so that nothing jumps
        if pages > 1:
            st.pagination(pages, key=f"page-{key}")
    return int(part.index[index or 0])


def _caption(row: Any) -> str:
    """Return what stands under a tile; `row` is one of `metrics.answers`, as a named tuple."""
    reading = f"{row.truth} → {row.answer}, {row.confidence:.1%}".replace("%", " %")
    return reading.replace(" ", _NO_BREAK) + f" #{row.index}"


def _closely(run: Run, position: int, answers: "pd.DataFrame", result: Result) -> None:
    """Show one image large, with its ten probabilities, what they say, and why."""
    row, probabilities = answers.loc[position], result.probabilities[position]
    truth, answer = int(row["truth"]), int(row["answer"])
    picture, bars = st.columns([1, 2], vertical_alignment="center")
    with picture:
        tile(result.images[position], width=168, caption=f"A {truth}, image {row['index']:.0f}")
    with bars:
        chart(
            probability_bars(probabilities, truth),
            "ten-bars",
            height=210,
            caption=f"#{row['index']:.0f} {_story(truth, answer, probabilities)}",
        )
    image = result.images[position].astype(np.float32) / 255
    why(run, image, probabilities, truth)


def _story(truth: int, answer: int, probabilities: np.ndarray) -> str:
    if truth == answer:
        second = int(np.argsort(probabilities)[-2])
        runner_up = format.percent(probabilities[second])
        return f"is rightly read as {answer}; next comes {second} with {runner_up}."
    return (
        f"is read as {answer} with {format.percent(probabilities[answer])}; "
        f"the truth, {truth}, got {format.percent(probabilities[truth])}."
    )


def per_class(report: Report) -> None:
    """Show precision, recall, F1 and support by digit."""
    st.subheader("Each digit")
    shares = ("precision", "recall", "f1")
    st.dataframe(
        report.classes.assign(**{name: 100 * report.classes[name] for name in shares}),
        column_config={
            "digit": st.column_config.NumberColumn("Digit", width=60),
            "precision": _share("Precision", "Of the images read as this digit, how many are one."),
            "recall": _share("Recall", "Of the images of this digit, how many are read as one."),
            "f1": _share("F1", "Precision and recall in one: their harmonic mean."),
            "support": st.column_config.NumberColumn("Support", help="Images of this digit."),
        },
        hide_index=True,
        height=387,
    )


def confused_pairs(report: Report) -> None:
    """Show which digit is taken for which, most frequent first."""
    st.subheader("Most confused pairs")
    pairs = metrics.confused_pairs(report.matrix)
    if pairs.empty:
        st.info("Nothing is confused: every answer is right.", icon=":material/check_circle:")
        return
    st.dataframe(
        pairs.assign(
            pair=[
                f"{truth} → {answer}"
                for truth, answer in zip(pairs.truth, pairs.answer, strict=True)
            ],
            share=100 * pairs["share"],
        ),
        column_order=["pair", "count", "share"],
        column_config={
            "pair": st.column_config.TextColumn("Truth → answer"),
            "count": st.column_config.ProgressColumn(
                "Images", format="%d", min_value=0, max_value=int(pairs["count"].max())
            ),
            "share": _share("Of that truth", "Share of all images of the true digit."),
        },
        hide_index=True,
        height=387,
    )


def _share(label: str, help: str) -> Any:
    return st.column_config.NumberColumn(label, format="%.2f %%", help=help)


def downloads(run: Run, split: str, result: Result, report: Report) -> None:
    """Offer all answers, the classes and the matrix as CSV, each made when it is asked for."""

    def every_answer() -> str:
        table = metrics.answers(result.probabilities, result.labels, result.indices)
        ten = {f"p{digit}": result.probabilities[:, digit] for digit in metrics.DIGITS}
        return str(table.assign(**ten).to_csv(index=False))

    def matrix() -> str:
        import pandas as pd

        return str(pd.DataFrame(report.matrix).rename_axis("truth").to_csv())

    files = {
        "answers": ("Every answer", every_answer),
        "classes": ("Each digit", lambda: str(report.classes.to_csv(index=False))),
        "confusion": ("Confusion matrix", matrix),
    }
    with st.container(horizontal=True):
        for name, (label, make) in files.items():
            st.download_button(
                label,
                make,
                f"{format.file_name(run.name)}-{split}-{name}.csv",
                "text/csv",
                key=f"csv-{name}",
                icon=":material/download:",
                on_click="ignore",
                help="Downloads it as CSV; shares are fractions of 1, probabilities those of the "
                "network itself, before calibration.",
            )

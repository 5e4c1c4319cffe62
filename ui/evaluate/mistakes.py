"""A run's mistakes: the images of a cell, one of them in detail, and the downloads."""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.evaluation import metrics
from core.evaluation.metrics import Report
from core.export import report as report_page
from core.reading.answer import share
from core.runs.answers import Result
from core.runs.history import read_history
from core.runs.run import Run
from ui import cache, format, keys
from ui.components.chart import Click, chart
from ui.components.gallery import gallery
from ui.components.tiles import tile
from ui.evaluate.matrix import ALL, CELL
from ui.explanation import why
from ui.inside.source import open_inside

if TYPE_CHECKING:
    import pandas as pd


PAGE = 60  # images
_NO_BREAK = "\u00a0"  # so that a caption breaks only before the image's number


def mistakes(run: Run, split: str, result: Result, cell: Click | None) -> None:
    """Show the clicked cell's images or all mistakes, and the selected image in detail."""
    answers = metrics.answers(result.probabilities, result.labels, result.indices)
    wrong = answers["truth"] != answers["answer"]
    sets = {ALL: answers[wrong].sort_values("confidence", ascending=False)}
    titles = {ALL: f"All mistakes ({wrong.sum():,})"}
    if cell is not None:
        truth, answer = int(cell["y"]), int(cell["x"])
        inside = answers[(answers["truth"] == truth) & (answers["answer"] == answer)]
        # The most confident mistakes and the least confident right answers come first.
        sets[CELL] = inside.sort_values("confidence", ascending=truth == answer)
        titles[CELL] = f"{truth} → {answer} ({len(inside):,})"
    if st.session_state.get(keys.SHOWN_IMAGES) not in sets:
        st.session_state[keys.SHOWN_IMAGES] = ALL
    shown = st.segmented_control(
        "Images shown",
        list(sets),
        format_func=titles.__getitem__,
        key=keys.SHOWN_IMAGES,
        required=True,
        label_visibility="collapsed",
        help="All mistakes, or the images of the cell you clicked.",
    )
    shown = shown or ALL  # one is required; its type says otherwise
    chosen = _gallery(sets[shown], result, f"{run.id}-{split}-{titles[shown]}")
    if chosen is not None:
        _closely(run, int(chosen), answers, result)


def _gallery(shown: "pd.DataFrame", result: Result, key: str) -> int | None:
    """Show a page of images at a fixed height; return the position of the selected one."""
    pages = max(1, -(-len(shown) // PAGE))
    with st.container(height=345, border=False):
        if shown.empty:
            st.info("No images to show.", icon=":material/check_circle:")
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
    with st.container(height=40, border=False):  # always there, so that the page does not jump
        if pages > 1:
            st.pagination(pages, key=f"page-{key}")
    return int(part.index[index or 0])


def _caption(row: Any) -> str:
    """Return the caption of a tile; `row` is one of `metrics.answers`, as a named tuple."""
    confidence = share(row.confidence).replace("over ", ">")
    reading = f"{row.truth} → {row.answer}, {confidence}"
    return reading.replace(" ", _NO_BREAK) + f" #{row.index}"


def _closely(run: Run, position: int, answers: "pd.DataFrame", result: Result) -> None:
    """Show one image enlarged, with its ten probabilities and an explanation."""
    row, probabilities = answers.loc[position], result.probabilities[position]
    truth, answer = int(row["truth"]), int(row["answer"])
    picture, bars = st.columns([1, 2], vertical_alignment="center")
    with picture:
        tile(result.images[position], width=168, caption=f"A {truth}, image {row['index']:.0f}")
    with bars:
        chart(
            cache.probability_bars(probabilities, truth),
            "ten-bars",
            height=210,
            caption=f"#{row['index']:.0f} {_story(truth, answer, probabilities)}",
        )
    st.button(
        "See inside",
        key="see-inside",
        icon=":material/layers:",
        on_click=open_inside,  # runs before this page would be drawn again
        args=(run.id, result.images[position], truth, f"Image {row['index']:.0f}, a {truth}"),
        help="See what every layer of the network makes of this digit.",
    )
    image = result.images[position].astype(np.float32) / 255
    why(run, image, probabilities, truth)


def _story(truth: int, answer: int, probabilities: np.ndarray) -> str:
    if truth == answer:
        second = int(np.argsort(probabilities)[-2])
        runner_up = format.percent(probabilities[second])
        return f"is correctly read as {answer}; {second} comes next with {runner_up}."
    return (
        f"is read as {answer} with {share(probabilities[answer])}; "
        f"the true digit, {truth}, has {format.percent(probabilities[truth])}."
    )


def downloads(run: Run, split: str, result: Result, report: Report) -> None:
    """Show the downloads: a report, and answers, metrics by digit and confusion matrix as CSV."""

    def every_answer() -> str:
        table = metrics.answers(result.probabilities, result.labels, result.indices)
        ten = {f"p{digit}": result.probabilities[:, digit] for digit in metrics.DIGITS}
        return str(table.assign(**ten).to_csv(index=False))

    def matrix() -> str:
        import pandas as pd

        return str(pd.DataFrame(report.matrix).rename_axis("truth").to_csv())

    files = {
        "answers": ("All answers", every_answer),
        "classes": ("By digit", lambda: str(report.classes.to_csv(index=False))),
        "confusion": ("Confusion matrix", matrix),
    }
    if split in report_page.SPLITS:
        st.download_button(
            "Report",
            lambda: report_page.report(run, read_history(run), split, result),
            f"{format.file_name(run.name)}-{report_page.NAME}",
            "text/html",
            key="report",
            icon=":material/description:",
            on_click="ignore",
            help="One page with curves, confusion matrix, mistakes, confidence and settings. "
            "It opens in any browser, needs no network, and prints on A4.",
        )
    for name, (label, make) in files.items():
        st.download_button(
            label,
            make,
            f"{format.file_name(run.name)}-{format.file_name(split)}-{name}.csv",
            "text/csv",
            key=f"csv-{name}",
            icon=":material/download:",
            on_click="ignore",
            help="Download as CSV. Shares are between 0 and 1; probabilities are those before "
            "calibration.",
        )

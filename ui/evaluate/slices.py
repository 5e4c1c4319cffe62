"""Where a run is weak, by how the digits were written, alone or compared with another run."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.data.measures import measures
from core.errors import UserError
from core.evaluation import slices
from core.evaluation.slices import Finding
from core.figures.slices import NAMES, Panel, accuracy_panel, called, difference_panel
from core.runs.answers import Result
from core.runs.run import Run
from ui import format, guards, keys, runs
from ui.components.chart import chart
from ui.components.tiles import sprite, strip

_HEIGHT = 250  # CSS pixels of a panel
_EXAMPLE = 4  # the digit in the examples, since its thickness, slant and size are easy to see
_MOST = 24  # misread digits shown for a slice
_NOBODY = ""

Answers = Callable[[Run], Result]


def where_weak(run: Run, result: Result, answers_of: Answers) -> None:
    """Show the accuracy by thickness, slant, size and ink, and the differences from another run.

    `answers_of` returns another run's answers on the same images. Nothing is measured while the
    expander is collapsed. Raises UserError.
    """
    expander = st.expander(
        "Where is it weak?", key=keys.WEAKNESS, icon=":material/troubleshoot:", on_change="rerun"
    )
    if not expander.open:
        return
    with expander:
        if len(result.labels) < slices.LEAST:
            st.caption(
                f"Available for {slices.LEAST} images or more: with fewer, the fifths are too "
                "small to say anything certain."
            )
            return
        _weak(run, result, answers_of)


@st.fragment
def _weak(run: Run, result: Result, answers_of: Answers) -> None:
    with guards.messages():
        table = _measured(result.images)
        other = _choose_other(run)
        if other is None:
            _alone(table, result)
        else:
            _against(table, result, other, answers_of)
        _slice(table, result)


@st.cache_data(max_entries=4, show_spinner="Measuring the digits …")
def _measured(images: NDArray[np.uint8]) -> pd.DataFrame:
    return measures(images)


def _choose_other(run: Run) -> Run | None:
    """Show the choice of a run to compare with; return None if none is chosen."""
    found = {
        one.id: one
        for one in runs.listed_with_builtin()
        if one.id != run.id and one.best_epoch is not None
    }
    if st.session_state.get(keys.SLICED_AGAINST) not in (_NOBODY, *found):
        st.session_state[keys.SLICED_AGAINST] = _NOBODY
    chosen = st.selectbox(
        "Against",
        [_NOBODY, *found],
        key=keys.SLICED_AGAINST,
        persist_state="session",
        format_func=lambda key: guards.run_title(found[key]) if key else "its own other digits",
        width=320,
        help="Compare the accuracies with those of another run on the same images.",
    )
    return found.get(chosen)


def _alone(table: pd.DataFrame, result: Result) -> None:
    rows = {name: slices.accuracies(table[name], result.labels, result.right) for name in NAMES}
    finding = slices.weakest(rows)
    st.markdown(_weakness(finding))
    span = min(one["low"].min() for one in rows.values()), 1.0
    pad = 0.06 * (span[1] - span[0]) or 0.01
    for place, name in zip(_places(), NAMES, strict=True):
        marked = finding.part if finding and finding.measure == name else None
        pictures = _pictures(table[name], result)
        panel = Panel(name, pictures, (span[0] - pad, span[1] + pad), _HEIGHT, marked)
        figure = accuracy_panel(rows[name], panel)
        with place:
            chart(figure, f"slice-{name}", height=_HEIGHT, on_click=_choose(f"slice-{name}"))
    st.caption(
        "Each point is a fifth of the images, with the accuracy's 95 % interval. The fifths are "
        "taken within each digit, so that all hold the same digits. Click a point to see what is "
        "misread there."
    )


def _weakness(finding: Finding | None) -> str:
    if finding is None:
        return "It is **about equally good everywhere**: the differences may be chance."
    return (
        f"It is weakest on **{called(finding)}**: {format.percent(finding.here)} right, against "
        f"{format.percent(finding.there)} of the others."
    )


def _against(table: pd.DataFrame, result: Result, other: Run, answers_of: Answers) -> None:
    name = format.plain(other.name)
    try:
        theirs = answers_of(other)
    except UserError as error:
        st.markdown(f"Not available: {format.message(error)}")
        return
    if not np.array_equal(theirs.indices, result.indices) or not np.array_equal(
        theirs.labels, result.labels
    ):
        st.markdown(f"Not available: {name} has answers for other images.")
        return
    first, second = result.right, theirs.right
    values = {measure: table[measure].to_numpy() for measure in NAMES}
    rows = {}
    for measure, found in values.items():
        means = slices.accuracies(found, result.labels, first)["mean"]
        rows[measure] = slices.differences(found, result.labels, first, second).assign(mean=means)
    finding = slices.largest_difference(values, result.labels, first, second)
    st.markdown(_verdict(finding, name, float(first.mean() - second.mean())))
    lowest = 100 * min(0.0, *(one["low"].min() for one in rows.values()))
    highest = 100 * max(0.0, *(one["high"].max() for one in rows.values()))
    pad = 0.06 * (highest - lowest) or 1.0
    for place, measure in zip(_places(), NAMES, strict=True):
        marked = finding.part if finding and finding.measure == measure else None
        pictures = _pictures(table[measure], result)
        panel = Panel(measure, pictures, (lowest - pad, highest + pad), _HEIGHT, marked)
        figure = difference_panel(rows[measure], panel)
        key = f"slice-{measure}-difference"
        with place:
            chart(figure, key, height=_HEIGHT, on_click=_choose(key))
    st.caption(
        f"The accuracy in each fifth of the images less that of {name}, in percentage points, with "
        "its 95 % interval. Above the line, this run is better."
    )


def _verdict(finding: Finding | None, name: str, overall: float) -> str:
    if finding is None:
        return (
            f"In no fifth is it better or worse than {name} by more than chance "
            f"({100 * overall:+.2f} points overall)."
        )
    word = "better" if finding.here > finding.there else "worse"
    return (
        f"Compared with {name}, it is {word} mainly on **{called(finding)}**: "
        f"{format.percent(finding.here)} right, against {format.percent(finding.there)} "
        f"({100 * overall:+.2f} points overall)."
    )


def _places() -> list[st.delta_generator.DeltaGenerator]:
    """Return a place for each panel: four in a row, or stacked on a narrow screen."""
    left, right = st.columns(2, gap="medium")
    return [*left.columns(2), *right.columns(2)]


def _pictures(values: pd.Series, result: Result) -> list[str]:
    """Return an example of each fifth as a data URL, empty if there is none."""
    chosen = slices.examples(values.to_numpy(), result.labels, _EXAMPLE)
    return [sprite(result.images[[one]], 1) if one >= 0 else "" for one in chosen]


def _choose(key: str) -> Callable[[], None]:
    def choose() -> None:
        st.session_state[keys.SLICE] = tuple(st.session_state[key]["click"]["customdata"])

    return choose


def _slice(table: pd.DataFrame, result: Result) -> None:
    """Show what is misread in the fifth that was clicked."""
    measure, part = st.session_state.get(keys.SLICE, (None, 0))
    if measure not in NAMES:
        return
    inside = slices.parts(table[measure].to_numpy(), result.labels) == part
    wrong = np.flatnonzero(inside & ~result.right)
    title = NAMES[measure][0]
    st.markdown(
        f"**{title}, fifth {part + 1} of {slices.PARTS}**: {len(wrong):,} of {inside.sum():,} "
        f"misread{f', the first {_MOST}' if len(wrong) > _MOST else ''}"
    )
    shown = wrong[:_MOST]
    answers = result.probabilities.argmax(1)
    captions = [f"{result.labels[one]} → {answers[one]}" for one in shown]
    strip(result.images[shown], captions, columns=12, width=64)

"""Chosen runs against each other: curves, whether one is better, what differs, what it costs."""

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import UserError
from core.evaluation import metrics, significance
from core.figures.curves import RUN_METRICS, accuracy_against, run_curves
from core.runs import answers, compare
from core.runs.run import Run
from ui import cache, format, keys
from ui.components.chart import chart

_CHANCE = 0.05  # the usual bound below which chance is not taken for the explanation


def curves(chosen: list[Run]) -> None:
    """Show a metric of all chosen runs over epochs or seconds."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox(
            "Curve",
            list(RUN_METRICS),
            format_func=lambda name: name.replace("train", "training").replace("_", " "),
            key=keys.CURVES,
            persist_state="session",
            width=260,
            help="Validation says how well it reads images it has not learned from.",
        )
        by_seconds = st.toggle(
            "By seconds",
            key=keys.BY_SECONDS,
            persist_state="session",
            help="Over the time spent training instead of epochs, which cost some networks more.",
        )
    by_label = {
        label: cache.history(run).epochs
        for label, run in zip(compare.labels(chosen), chosen, strict=True)
    }
    caption = "Rings mark the best epochs, chosen on validation."
    if len({run.data_checksum for run in chosen if run.data_checksum}) > 1:
        caption += " These runs saw different data, so their accuracies are of different images."
    chart(run_curves(by_label, metric, by_seconds), "run-curves", height=380, caption=caption)


def verdict(first: Run, second: Run) -> None:
    """Say whether the difference between two runs' test answers exceeds what chance explains."""
    st.subheader("Is one better?")
    untested = [run for run in (first, second) if run.test_accuracy is None]
    for run in untested:
        if run.seen:
            reason = answers.why_no_test(run)
            st.markdown(f"Nobody can say: {format.plain(reason)}")
            return
    if untested:
        st.markdown("Nobody can say yet: not both have read the test images.")
        return
    if first.data_checksum != second.data_checksum:
        st.markdown("Nobody can say: they were tested on different images.")
        return
    try:
        paired = significance.mcnemar(*(_right(run) for run in (first, second)))
    except UserError as error:
        st.markdown(f"Nobody can say: {format.message(error)}")
        return
    st.markdown(_sentence(paired, *map(format.plain, compare.labels([first, second]))))
    st.caption(
        "Exact McNemar test on the test images that only one of them reads right. It compares "
        "these two trained networks; with another seed, the same settings give another network."
    )


def _right(run: Run) -> np.ndarray:
    """Return which test images a run read right, from its kept answers. Raises UserError."""
    kept = cache.result(run, "test")
    return np.asarray(kept.probabilities.argmax(1) == kept.labels)


def _sentence(paired: significance.Paired, first: str, second: str) -> str:
    a, b, p = paired.only_first, paired.only_second, paired.p_value
    if a < b:
        first, second, a, b = second, first, b, a
    chance = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    if a + b == 0:
        return f"**No difference**: {first} and {second} read the very same test images right."
    alone = f"alone reads {a:,} test images right, {second} alone {b:,}"
    if p < _CHANCE:
        return f"**{first} is better than {second}**, beyond chance ({chance}): it {alone}."
    return f"**No difference beyond chance** ({chance}): {first} {alone}."


def ensemble(chosen: list[Run]) -> None:
    """Show what the runs read right when their probabilities are averaged, beside each alone."""
    st.subheader("All of them as one")
    try:
        alone = [cache.result(run, "test") for run in chosen]
        together = answers.together(alone)
    except UserError as error:
        st.markdown(f"Nobody can say: {format.message(error)}")
        return
    names = [*compare.labels(chosen), f"all {len(chosen)} as one"]
    reports = [metrics.report(one.probabilities, one.labels) for one in (*alone, together)]
    st.dataframe(
        pd.DataFrame(
            {
                "": names,
                "test accuracy": [format.percent(report.accuracy) for report in reports],
                "95 % interval": [format.interval(*report.interval) for report in reports],
                "mistakes": [round(report.count * (1 - report.accuracy)) for report in reports],
                "loss": [f"{report.loss:.4f}" for report in reports],
            }
        ),
        hide_index=True,
        height="content",
        key="ensemble",
    )
    st.caption(
        "Each digit's answer is the mean of their probabilities: networks that err on different "
        "digits correct each other. Choose the members by validation, or not at all."
    )


def differences(chosen: list[Run]) -> None:
    """Show the settings in which the runs differ."""
    st.subheader("What differs")
    table = compare.differing(chosen)
    if table.empty:
        st.markdown("Nothing: the same settings, seed, data and code.")
        return
    st.dataframe(table.reset_index(), hide_index=True, height="content", key="differing")


def costs(chosen: list[Run]) -> None:
    """Show test accuracy against training time and against parameters."""
    table, labels = compare.table(chosen), compare.labels(chosen)
    if table["test_accuracy"].isna().all():
        st.caption("None of them has read the test images yet.")
        return
    for column, name in zip(st.columns(2), ("train_seconds", "parameters"), strict=True):
        with column:
            chart(
                accuracy_against(table, labels, name),
                f"test-against-{name}",
                height=320,
                caption="Bars span the 95 % intervals.",
            )

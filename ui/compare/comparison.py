"""Compare the selected runs: curves, significance, settings, costs and their ensemble."""

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

_CHANCE = 0.05  # the usual significance level


def curves(chosen: list[Run]) -> None:
    """Show a metric of all selected runs over epochs or seconds."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox(
            "Curve",
            list(RUN_METRICS),
            format_func=lambda name: name.replace("train", "training").replace("_", " "),
            key=keys.CURVES,
            persist_state="session",
            width=260,
            help="Validation is measured on images that the network has not learned from.",
        )
        by_seconds = st.toggle(
            "By seconds",
            key=keys.BY_SECONDS,
            persist_state="session",
            help="Show the training time instead of epochs, which take longer with some networks.",
        )
    by_label = {
        label: cache.history(run).epochs
        for label, run in zip(compare.labels(chosen), chosen, strict=True)
    }
    caption = "Rings mark the best epochs, chosen on validation."
    if len({run.data_checksum for run in chosen if run.data_checksum}) > 1:
        caption += " These runs used different data, so their accuracies are for different images."
    chart(run_curves(by_label, metric, by_seconds), "run-curves", height=380, caption=caption)


def verdict(first: Run, second: Run) -> None:
    """Show whether the difference between two runs' test accuracies is significant."""
    st.header("Is one better?")
    untested = [run for run in (first, second) if run.test_accuracy is None]
    for run in untested:
        if run.seen:
            reason = answers.why_no_test(run)
            st.markdown(f"Not available: {format.plain(reason)}")
            return
    if untested:
        st.markdown("Available once both runs have been tested.")
        return
    if first.data_checksum != second.data_checksum:
        st.markdown("Not available: the runs were tested on different images.")
        return
    try:
        paired = significance.mcnemar(*(_right(run) for run in (first, second)))
    except UserError as error:
        st.markdown(f"Not available: {format.message(error)}")
        return
    st.markdown(_sentence(paired, *map(format.plain, compare.labels([first, second]))))
    st.caption(
        "Exact McNemar test on the test images that only one of the two gets right. It compares "
        "these two trained networks; training again with another seed gives a different network."
    )


def _right(run: Run) -> np.ndarray:
    """Return which test images a run reads correctly. Raises UserError."""
    result = cache.result(run, "test")
    return np.asarray(result.probabilities.argmax(1) == result.labels)


def _sentence(paired: significance.Paired, first: str, second: str) -> str:
    a, b, p = paired.only_first, paired.only_second, paired.p_value
    if a < b:
        first, second, a, b = second, first, b, a
    chance = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    if a + b == 0:
        return f"**No difference**: {first} and {second} get exactly the same test images right."
    alone = f"alone gets {a:,} test images right, {second} alone {b:,}"
    if p < _CHANCE:
        return f"**{first} is significantly better than {second}** ({chance}): it {alone}."
    return f"**The difference may be chance** ({chance}): {first} {alone}."


def ensemble(chosen: list[Run]) -> None:
    """Show the accuracy of the runs' averaged probabilities, and of each run alone."""
    st.header("Ensemble")
    try:
        alone = [cache.result(run, "test") for run in chosen]
        together = answers.together(alone)
    except UserError as error:
        st.markdown(f"Not available: {format.message(error)}")
        return
    names = [*compare.labels(chosen), f"ensemble of {len(chosen)}"]
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
        "An ensemble averages the probabilities of its members: networks that make different "
        "mistakes correct each other. Select the members by validation accuracy, not by test "
        "accuracy."
    )


def differences(chosen: list[Run]) -> None:
    """Show the settings in which the runs differ."""
    st.header("What differs")
    table = compare.differing(chosen)
    if table.empty:
        st.markdown("Nothing: settings, seed, data and code are the same.")
        return
    st.dataframe(table.reset_index(), hide_index=True, height="content", key="differing")


def costs(chosen: list[Run]) -> None:
    """Show test accuracy against training time and against parameters."""
    table, labels = compare.table(chosen), compare.labels(chosen)
    if table["test_accuracy"].isna().all():
        st.caption("Available once a run has been tested.")
        return
    for column, name in zip(st.columns(2), ("train_seconds", "parameters"), strict=True):
        with column:
            chart(
                accuracy_against(table, labels, name),
                f"test-against-{name}",
                height=320,
                caption="The bars are 95 % intervals.",
            )

"""Compare the selected runs: curves, settings that differ, costs and their ensemble."""

from contextlib import suppress

import pandas as pd
import streamlit as st

from core.errors import UserError
from core.evaluation import metrics
from core.export import comparison
from core.figures.curves import RUN_METRICS, accuracy_against, setting_curves
from core.runs import answers, compare, settings
from core.runs.run import Run
from core.runs.settings import Setting
from ui import cache, format, keys, setting_names
from ui.components.chart import chart


def curves(groups: list[Setting]) -> None:
    """Show a metric of the selected settings over epochs or seconds, the mean of several seeds."""
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
        label: [cache.history(run).epochs for run in group.seeds]
        for label, group in zip(settings.labels(groups), groups, strict=True)
    }
    caption = "Rings mark the best epochs, chosen on validation."
    if any(len(members) > 1 for members in by_label.values()):
        caption = "Bands: one standard deviation over seeds each way. " + caption
    if len({run.data_checksum for one in groups for run in one.runs if run.data_checksum}) > 1:
        caption += " These runs used different data, so their accuracies are for different images."
    chart(setting_curves(by_label, metric, by_seconds), "run-curves", height=360, caption=caption)


def report(groups: list[Setting]) -> None:
    """Show the button that downloads a report of the current view."""
    runs = [run for one in groups for run in one.runs]
    tested = {}
    if len(runs) == 2:
        with suppress(UserError):  # the page says why a run has no answers
            tested = {run.id: cache.result(run, "test") for run in runs}
    view = comparison.View(
        groups=groups,
        epochs={run.id: cache.history(run).epochs for run in runs},
        metric=st.session_state[keys.CURVES],
        by_seconds=st.session_state[keys.BY_SECONDS],
        baseline=st.session_state.get(keys.BASELINE) or "",
        tested=tested,
    )
    st.download_button(
        "Report",
        lambda: comparison.report(view),
        comparison.NAME,
        "text/html",
        key="comparison-report",
        icon=":material/description:",
        on_click="ignore",
        help="One page with what is selected here: results by setting, curves, verdicts and "
        "differences. It opens in any browser, needs no network, and prints on A4.",
    )


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


def differences(groups: list[Setting]) -> None:
    """Show the fields in which the selected settings differ."""
    st.header("What differs")
    labels = settings.labels(groups)
    runs = (one.runs for one in groups)
    differing = compare.differing(dict(zip(labels, runs, strict=True)))
    if not differing:
        st.markdown("The settings, data and code are the same; at most the seed differs.")
        return
    rows = [
        [
            setting_names.label(name),
            *(", ".join(setting_names.shown(name, value) for value in one) for one in values),
        ]
        for name, values in differing.items()
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["setting", *labels]),
        hide_index=True,
        height="content",
        key="differing",
    )


def costs(groups: list[Setting]) -> None:
    """Show test accuracy against training time and against parameters."""
    each = list(enumerate(zip(settings.labels(groups), groups, strict=True)))
    table = compare.table([run for _, (_, one) in each for run in one.runs])
    labels = [label for _, (label, one) in each for _ in one.runs]
    places = [place for place, (_, one) in each for _ in one.runs]
    if table["test_accuracy"].isna().all():
        st.caption("Available once a run has been tested.")
        return
    for column, name in zip(st.columns(2), ("train_seconds", "parameters"), strict=True):
        with column:
            chart(
                accuracy_against(table, labels, name, places),
                f"test-against-{name}",
                height=320,
                caption="The bars are 95 % intervals.",
            )

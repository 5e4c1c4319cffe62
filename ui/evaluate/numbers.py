"""A run's accuracy, loss and F1, the same by digit, and the pairs it confuses most."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.evaluation import metrics
from core.evaluation.metrics import Report
from ui import format


def overall(report: Report, place: DeltaGenerator) -> None:
    """Show accuracy, loss and macro F1 in `place`."""
    numbers = (
        (
            "Accuracy",
            format.percent(report.accuracy),
            format.interval(*report.interval),
            f"Share of the {report.count:,} images read correctly. In gray, its 95 % Wilson "
            "interval: the range in which the accuracy on many more such images probably lies.",
        ),
        (
            "Loss",
            f"{report.loss:.4f}",
            "nats",
            "Mean cross-entropy: high if the true digits get low probabilities. Lower is better.",
        ),
        (
            "Macro F1",
            format.percent(report.macro_f1),
            "mean over the digits",
            "The mean F1 of the digits that occur, each with the same weight.",
        ),
    )
    row = place.container(horizontal=True, gap="small", width="content")
    for label, value, remark, explanation in numbers:
        row.metric(
            label,
            value,
            remark,
            delta_color="off",
            delta_arrow="off",
            help=explanation,
            width="content",
        )


def per_class(report: Report) -> None:
    """Show precision, recall, F1 and support by digit; an undefined one is a dash."""
    st.header("By digit")
    answered, support = report.matrix.sum(0), report.matrix.sum(1)
    defined = {"precision": answered > 0, "recall": support > 0, "f1": answered + support > 0}
    st.dataframe(
        report.classes.assign(
            **{name: (100 * report.classes[name]).where(known) for name, known in defined.items()}
        ),
        column_config={
            "digit": st.column_config.NumberColumn("Digit", width=60),
            "precision": _share(
                "Precision", "Share of the images read as this digit that are this digit."
            ),
            "recall": _share(
                "Recall", "Share of the images of this digit that are read as this digit."
            ),
            "f1": _share("F1", "The harmonic mean of precision and recall."),
            "support": st.column_config.NumberColumn("Support", help="Images of this digit."),
        },
        hide_index=True,
        placeholder="–",
        height=387,
    )


def confused_pairs(report: Report) -> None:
    """Show the most frequent mistakes, as pairs of truth and answer."""
    st.header("Most confused pairs")
    pairs = metrics.confused_pairs(report.matrix)
    if pairs.empty:
        st.info("No mistakes: every answer is right.", icon=":material/check_circle:")
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
            "share": _share("Share of truth", "Share of all images of the true digit."),
        },
        hide_index=True,
        height=387,
    )


def _share(label: str, help: str) -> Any:
    return st.column_config.NumberColumn(label, format="%.2f %%", help=help)

"""The confusion matrix, whose cells show their images when they are clicked."""

import streamlit as st

from core.evaluation.metrics import Report
from core.figures.digits import confusion_map
from core.runs.run import Run
from ui import keys
from ui.components.chart import Click, chart

ALL, CELL = "mistakes", "cell"  # the images that the page shows: all mistakes, or a cell's

_map = st.cache_resource(max_entries=20, show_spinner=False)(confusion_map)


def show(run: Run, title: str, report: Report) -> Click | None:
    """Show the matrix with its two switches; return the clicked cell, if any."""
    controls = st.container(horizontal=True)
    normalized = controls.toggle(
        "Percentages",
        key=keys.NORMALIZED,
        persist_state="session",
        help="Show each row in percent instead of counts.",
    )
    hidden = controls.toggle(
        "Hide the diagonal",
        key=keys.HIDE_DIAGONAL,
        persist_state="session",
        help="Leave out the right answers, so that the mistakes stand out.",
    )
    return chart(
        _map(report.matrix, normalized, hidden),
        f"confusion-{run.id}-{title}",  # a click belongs to this run and these images
        height=540,
        on_click=_show_cell,
        caption="Click a cell to see its images. Colors are on a logarithmic scale.",
    )


def _show_cell() -> None:
    st.session_state[keys.SHOWN_IMAGES] = CELL

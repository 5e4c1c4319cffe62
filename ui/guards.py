"""What stands between a person and a page that cannot do its work yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from core.errors import UserError
from core.run import Run
from ui import state, words

_CHOICE = "run-choice"  # the widget's own key


@contextmanager
def messages() -> Iterator[None]:
    """Show a UserError as it is and stop there; a bug surfaces as a bug."""
    try:
        yield
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def choose_run(suggested: str | None = None) -> Run:
    """Let a person choose a run: at first the one chosen before, else `suggested`, else the best.

    Where no run has completed an epoch, it says so, leads to the Train page, and stops.
    """
    from core import runs

    found = {run.id: run for run in runs.listed() if run.best_epoch is not None}
    best = runs.best(list(found.values()))
    if best is None:
        lead_to_train("No trained network yet. It takes seconds to make one.")
    wanted = (st.session_state.get(state.RUN), suggested, best.id)
    st.session_state[_CHOICE] = next(run_id for run_id in wanted if run_id in found)
    chosen = st.selectbox(
        "Run",
        list(found),
        key=_CHOICE,
        on_change=_keep_choice,
        format_func=lambda run_id: run_title(found[run_id]),
        help="Any run that has completed an epoch.",
    )
    return found[chosen]


def _keep_choice() -> None:
    st.session_state[state.RUN] = st.session_state[_CHOICE]


def lead_to_train(missing: str) -> NoReturn:
    """Say what is missing, lead to the page that makes it, and stop."""
    st.info(missing, icon=":material/model_training:")
    st.page_link("pages/train.py", label="Train one", icon=":material/arrow_forward:")
    st.stop()


def run_title(run: Run) -> str:
    """Return a run's name with what tells it apart."""
    return f"{run.name} · {words.percent(run.validation_accuracy)} · {words.moment(run.started)}"

"""What stands between a person and a page that cannot do its work yet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from core.errors import UserError
from core.runs import Run
from ui import state, words


@contextmanager
def messages() -> Iterator[None]:
    """Show a UserError as it is and stop there; a bug surfaces as a bug."""
    try:
        yield
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()


def choose_run(
    label: str = "Run", wanted: Callable[[Run], bool] = lambda run: run.best_epoch is not None
) -> Run:
    """Let a person choose a run; the last trained or chosen one first, else the best.

    Where no run is wanted by the page, it says so, leads to the Train page, and stops.
    """
    from core import runs

    found = {run.id: run for run in runs.listed() if wanted(run)}
    if not found:
        lead_to_train("No trained network yet. It takes seconds to make one.")
    last = st.session_state.get(state.RUN)
    best = runs.best(list(found.values()))
    default = last if last in found else best.id if best else next(iter(found))
    chosen = st.selectbox(
        label,
        list(found),
        index=list(found).index(default),
        format_func=lambda run_id: run_title(found[run_id]),
        help="Any run that has completed an epoch.",
    )
    st.session_state[state.RUN] = chosen
    return found[chosen]


def lead_to_train(missing: str) -> NoReturn:
    """Say what is missing, lead to the page that makes it, and stop."""
    st.info(missing, icon=":material/model_training:")
    st.page_link("pages/train.py", label="Train one", icon=":material/arrow_forward:")
    st.stop()


def run_title(run: Run) -> str:
    """Return a run's name with what tells it apart."""
    return f"{run.name} · {words.percent(run.validation_accuracy)} · {words.moment(run.started)}"

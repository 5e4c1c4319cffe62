"""What stands between a person and a page that cannot do its work yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from core.errors import StoreError, UserError
from core.run import Run
from ui import state, words

NAME = "built-in"  # core.builtin's, without loading torch
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
    found = _with_an_epoch()
    if not found:
        lead_to_train("No trained network yet. It takes seconds to make one.")
    return found[_choose(found, suggested, "Any run that has completed an epoch.")]


def choose_reader() -> Run | None:
    """Let a person choose who reads: a run, at first as `choose_run` does, or None, the built-in.

    Where the store fails, or has no run, the built-in network is there all the same.
    """
    try:
        found = _with_an_epoch()
    except StoreError as error:
        st.warning(str(error), icon=":material/cloud_off:")
        found = {}
    help = "Any run that has completed an epoch, or the network that comes with Digit Lab."
    return found.get(_choose({**found, NAME: None}, NAME if not found else None, help))


def _with_an_epoch() -> dict[str, Run]:
    from core import runs

    return {run.id: run for run in runs.listed() if run.best_epoch is not None}


def _choose(found: dict[str, Run | None], suggested: str | None, help: str) -> str:
    """Show the choice and return its key."""
    from core import runs

    best = runs.best([run for run in found.values() if run])
    wanted = (st.session_state.get(state.RUN), suggested, best.id if best else None)
    st.session_state[_CHOICE] = next(key for key in wanted if key in found)
    chosen = st.selectbox(
        "Run",
        list(found),
        key=_CHOICE,
        on_change=_keep_choice,
        format_func=lambda key: run_title(found[key]),
        help=help,
    )
    return str(chosen)


def _keep_choice() -> None:
    st.session_state[state.RUN] = st.session_state[_CHOICE]


def lead_to_train(missing: str) -> NoReturn:
    """Say what is missing, lead to the page that makes it, and stop."""
    st.info(missing, icon=":material/model_training:")
    st.page_link("pages/train.py", label="Train one", icon=":material/arrow_forward:")
    st.stop()


def run_title(run: Run | None) -> str:
    """Return a run's name with what tells it apart; None is the built-in network."""
    if run is None:
        return f"{NAME} · comes with Digit Lab"
    return f"{run.name} · {words.percent(run.validation_accuracy)} · {words.moment(run.started)}"

"""What stands between a person and a page: errors in plain words, and the choice of a run."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import StoreError, UserError
from core.runs import builtin, catalogue
from core.runs.run import Run, State
from ui import format, keys

_PACE = 3  # seconds between two looks at which runs are in progress


@contextmanager
def messages() -> Iterator[None]:
    """Show a UserError as it is and stop there; a bug surfaces as a bug."""
    try:
        yield
    except UserError as error:
        st.error(format.message(error), icon=":material/error:")
        st.stop()


def choose_run(suggested: str | None = None) -> Run:
    """Let a person choose a run: at first the one chosen before, else `suggested`, else the best.

    The built-in network is among them, and the only one where there is no run that has completed
    an epoch, or the store fails.
    """
    try:
        listed = catalogue.listed()
    except StoreError as error:
        st.warning(format.message(error), icon=":material/cloud_off:")
        listed = []
    found = {run.id: run for run in (*listed, builtin.run()) if run.best_epoch is not None}
    best = catalogue.best(listed) or builtin.run()
    wanted = (st.session_state.get(keys.RUN), suggested, best.id)
    st.session_state[keys.RUN_CHOICE] = next(key for key in wanted if key in found)
    chosen = st.selectbox(
        "Run",
        list(found),
        key=keys.RUN_CHOICE,
        on_change=_keep_choice,
        format_func=lambda key: run_title(found[key]),
        help="Any run that has completed an epoch, or the network that comes with Digit Lab.",
    )
    return found[chosen]


def _keep_choice() -> None:
    st.session_state[keys.RUN] = st.session_state[keys.RUN_CHOICE]


def follow(active: list[Run]) -> None:
    """Draw the page anew once other runs than these are in progress. Nothing more is asked."""
    st.fragment(_follow, run_every=_PACE)([(run.id, run.state) for run in active])


def _follow(seen: list[tuple[str, State]]) -> None:
    with messages():
        if [(run.id, run.state) for run in catalogue.in_progress()] != seen:
            st.rerun()


def run_title(run: Run) -> str:
    """Return a run's name with what tells it apart."""
    if run.is_builtin:
        return f"{run.name} · comes with Digit Lab"
    return f"{run.name} · {format.percent(run.validation_accuracy)} · {format.moment(run.started)}"

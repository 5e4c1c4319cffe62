"""Parts that all pages use: show errors, select a run, and rerun when runs change."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import StoreError, UserError
from core.runs import builtin, catalogue
from core.runs.run import Run, State
from ui import format, keys, people, runs


@contextmanager
def messages() -> Iterator[None]:
    """Show the message of a UserError and stop the page; other errors are bugs and pass through."""
    try:
        yield
    except UserError as error:
        st.error(format.message(error), icon=":material/error:")
        st.stop()


def choose_run(suggested: str | None = None) -> Run:
    """Show the selection of a run; at first `suggested`, or else the visitor's best run.

    It offers the runs that completed an epoch and the built-in network, which is the only one if
    the store fails, and the first choice of a visitor without runs.
    """
    try:
        listed = runs.listed()
    except StoreError as error:
        st.warning(format.message(error), icon=":material/cloud_off:")
        listed = []
    found = {run.id: run for run in (*listed, builtin.run()) if run.best_epoch is not None}
    me = people.me()
    best = catalogue.best([run for run in listed if me.may_change(run.owner)]) or builtin.run()
    wanted = (st.session_state.get(keys.RUN), suggested, best.id)
    st.session_state[keys.RUN_CHOICE] = next(key for key in wanted if key in found)
    chosen = st.selectbox(
        "Run",
        list(found),
        key=keys.RUN_CHOICE,
        on_change=_store_choice,
        format_func=lambda key: run_title(found[key]),
        help="Any run that completed an epoch, or the network that comes with Digit Lab.",
    )
    return found[chosen]


def need_layers(run: Run) -> None:
    """Stop the page, and say why, if a run's layers cannot be inspected."""
    if run.why_sealed:
        st.info(format.plain(run.why_sealed), icon=":material/visibility_off:")
        st.stop()


def _store_choice() -> None:
    st.session_state[keys.RUN] = st.session_state[keys.RUN_CHOICE]


def follow(active: list[Run], seconds: int = 3) -> None:
    """Rerun the page when the runs in progress change, for which it checks every few seconds."""
    seen = [(run.id, run.state) for run in active]
    st.fragment(_follow, run_every=seconds)(seen, [None])


def _follow(seen: list[tuple[str, State]], first: list[None]) -> None:
    if first:  # the first time it is drawn with the page, which has just checked
        first.clear()
        return
    with messages():
        if [(run.id, run.state) for run in runs.in_progress()] != seen:
            st.rerun()


def run_title(run: Run) -> str:
    """Return a run's name with its accuracy and start time."""
    if run.is_builtin:
        return f"{run.name} · comes with Digit Lab"
    return f"{run.name} · {format.percent(run.validation_accuracy)} · {format.moment(run.started)}"

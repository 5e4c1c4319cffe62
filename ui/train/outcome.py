"""The outcome of a run: what its result means, one thing to try next, or how two runs compare."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.jobs import request
from core.runs.advice import Advice, advice
from core.runs.history import History
from core.runs.run import Run, State
from ui import format, people
from ui.train import pair, settings

_MEANWHILE = (
    "As it learns, loss falls and accuracy climbs. Blue is measured on the images it learns from, "
    "orange on others, which count."
)

_EARLY = "It ended before its time. Evaluate, Draw and Inside have it as it was at its best epoch."
_NOTHING = "It completed no epoch, so there is no network to look at."


def outcome(run: Run, history: History, other: Run | None) -> None:
    """Show the result of the run, or of the pair of runs, once it is over.

    Until then, a sentence about the curves keeps the space.
    """
    with st.container(key="outcome"):
        if other is not None:
            _both(run, other)
        line = st.container(
            key="advice", horizontal=True, vertical_alignment="center", wrap=False
        )  # it wraps on a phone: see ui/app.py
        if not run.state.is_over:
            line.caption(_MEANWHILE)
        elif found := advice(run, history):
            _advice(run, found, line)
        elif run.state != State.FINISHED:
            line.caption(_EARLY if run.best_epoch else _NOTHING)


def _both(run: Run, other: Run) -> None:
    """Show which of two runs is better once both are over, and how to tell their lines apart."""
    over = run.state.is_over and other.state.is_over
    with st.container(key="verdict"):
        said = pair.verdict(run, other) if over else "Here it will say which of the two is better."
        st.markdown(f":material/balance: {format.unbroken(said)}")
    name = format.plain(other.name)
    st.caption(f"In gray: **{name}**, solid in validation, dotted in training.")


def _advice(run: Run, found: Advice, line: DeltaGenerator) -> None:
    """Show what a run's result means, and a button that trains what to try next."""
    line.markdown(f":material/lightbulb: {format.unbroken(found.meaning)}", width="stretch")
    if not found.label:
        return
    changed = run.config.changed(found.changes)
    if line.button(
        found.label,
        key="try-next",
        icon=":material/play_arrow:",
        on_click=settings.take,
        args=[changed, run.recipe],
        help="Starts a run with this change alone, and shows both on the same axes.",
    ):
        pair.watch(request.start(changed, run.data, run.recipe, by=people.me()), run)
        st.rerun()

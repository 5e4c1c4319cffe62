"""What a finished run means, and one thing to try next, or how two runs compare."""

import streamlit as st

from core.jobs import request
from core.runs.advice import advice
from core.runs.history import History
from core.runs.run import Run
from ui import format, people
from ui.train import pair, settings


def outcome(run: Run, history: History, other: Run | None) -> None:
    """Show the result of the run, or of the pair of runs, once it is over."""
    if other is not None:
        if run.state.is_over and other.state.is_over and (verdict := pair.verdict(run, other)):
            st.markdown(f":material/balance: {verdict}")
        name = format.plain(other.name)
        st.caption(f"In gray: **{name}**, solid in validation, dotted in training.")
    found = advice(run, history) if run.state.is_over else None
    if found is None:
        return
    line = st.container(horizontal=True, vertical_alignment="center")
    line.markdown(f":material/lightbulb: {found.meaning}", width="stretch")
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

"""A run's network as it formed, from random weights to its last state."""

from contextlib import nullcontext

import streamlit as st

from core.errors import CheckpointError, RunError
from core.runs import catalogue, files
from core.runs.run import Run
from ui import cache, format, guards
from ui.components.forming import forming

WAY = "How it formed"
_PAUSE = 4  # seconds between two updates for a run in progress


def form(run: Run) -> None:
    """Show a run's moments; for a run in progress, new ones appear."""
    if run.is_builtin:
        st.info("The built-in network kept no moments. Train a run, and choose it above.")
        return
    st.fragment(_moments, run_every=None if run.state.is_over else _PAUSE)(run)


def _moments(run: Run) -> None:
    with guards.messages():  # a fragment's own reruns do not go through the app's messages()
        _shown(run)


def _shown(run: Run) -> None:
    going_on = not run.state.is_over
    try:
        with nullcontext() if going_on else st.spinner("Computing what each moment reads …"):
            found = cache.formation(run)
    except (RunError, CheckpointError) as error:
        st.info(
            f"There is no record of how it formed. {format.message(error)}"
            if not going_on
            else "The first weights will be saved in a moment."
        )
        return
    if going_on:
        run = catalogue.get(run.id)  # its number of steps is known only once it has begun
    per_epoch = max(1, run.steps // run.config.epochs)
    captions = [
        f"After {step:,} {'step' if step == 1 else 'steps'} (epoch {step / per_epoch:.2f}): "
        f"{format.percent(right)} of {len(found.labels)} validation digits are read right."
        for step, right in zip(found.steps, found.accuracies, strict=True)
    ]
    forming(found, captions, f"inside-forming-{run.id}")
    if run.state.is_over and going_on:
        st.rerun()


def has_moments(run: Run) -> bool:
    """Return whether a run has kept moments on this machine, or soon will."""
    return (run.folder / files.FORMING).exists() or not (run.state.is_over or run.sweep)

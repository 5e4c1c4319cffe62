"""Say which epoch's network is evaluated, for a run that has not finished."""

import streamlit as st

from core.runs import files
from core.runs.run import Run
from ui import format


def show(run: Run) -> None:
    """Show the epoch of the network, if the run is in progress or ended early."""
    epoch = files.network_epoch(run)
    if run.is_builtin or run.state.is_final or epoch is None:
        return
    which = f"This is the network of epoch {epoch} of {run.config.epochs}"
    if run.state.is_over:
        reason = f" ({run.reason})" if run.reason else ""
        st.caption(format.plain(f"{which}, the best before the run {run.state}{reason}."))
    else:
        st.caption(f"{which}, the best so far: the run is still training.")

"""Which epoch's network is evaluated, for a run that has not trained to its end."""

import streamlit as st

from core.runs import files
from core.runs.run import Run
from ui import format


def show(run: Run) -> None:
    """Say which epoch's network it is, if the run is in progress or ended early."""
    epoch = files.network_epoch(run)
    if run.is_builtin or run.state.is_final or epoch is None:
        return
    which = f"This is the network of epoch {epoch} of {run.config.epochs}"
    if run.state.is_over:
        reason = f" ({run.reason})" if run.reason else ""
        st.caption(format.plain(f"{which}, the best before the run {run.state}{reason}."))
    else:
        st.caption(f"{which}, the best so far: the run is still training.")

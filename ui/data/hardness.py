"""The order of the gallery: as the data have it, or by how hard the images were for a run."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.digits import Digits
from core.errors import UserError
from core.runs import catalogue
from core.runs.run import Run
from ui import cache, format, runs


def ordered(digits: Digits, found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ask for an order, if any run recorded hardness, and return the numbers in that order.

    Images that the run did not learn from, such as test images, come last.
    """
    if cache.warm_up().is_alive():
        return found
    try:
        names = {key: run.name for key, run in recorded(digits).items()}
        if not names:
            return found
        chosen = st.selectbox(
            "Order",
            ["", *names],
            format_func=lambda one: f"Hardest for {names[one]} first" if one else "As in the data",
            key="data-order",
            persist_state="session",
            help="An image is hard if the run forgot it often, and read it wrong until late.",
        )
        if not chosen:
            return found
        found_hard = ranks(chosen, runs.get(chosen).epochs, digits.source)
    except UserError as error:
        st.warning(format.message(error), icon=":material/warning:")
        return found
    hardness = np.full(len(digits.train_labels) + len(digits.test_labels), np.nan)
    hardness[: len(found_hard)] = found_hard
    return found[np.argsort(-hardness[found], kind="stable")]


def recorded(digits: Digits) -> dict[str, Run]:
    """Return the runs by id that recorded hardness on these data. Raises StoreError."""
    return {
        run.id: run
        for run in runs.listed()
        if run.config.hardness and run.epochs and run.data_checksum == digits.checksum
    }


@st.cache_data(max_entries=4, show_spinner="Opening the run …")
def ranks(run_id: str, epochs: int, source: str) -> NDArray[np.float64]:
    """Return `(N,)` how hard each training image was for a run, as `core.runs.hardness.of`."""
    from core.runs import hardness

    return hardness.of(catalogue.get(run_id), cache.digits(source))

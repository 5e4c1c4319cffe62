"""The order of the gallery: that of the data, or by how hard the images were for a run."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.data.digits import Digits
from core.errors import UserError
from core.runs import catalogue
from ui import cache, format, runs


def ordered(digits: Digits, found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Show the choice of order, if any run recorded hardness, and return the numbers in that order.

    Images that the run did not learn from, such as test images, come last.
    """
    if cache.warm_up().is_alive():
        st.fragment(_when_loaded, run_every=1)()
        return found
    try:
        names = {key: run.name for key, run in runs.with_hardness(digits.checksum).items()}
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


def _when_loaded() -> None:
    """Rerun the page once the store is loaded, which knows the runs that recorded hardness."""
    if not cache.warm_up().is_alive():
        st.rerun()


def scaled(hard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return hardness as ranks `(N,)` from 0 for the easiest to 1 for the hardest; ties are equal.

    NaN stays NaN.
    """
    order = pd.Series(hard).rank(method="min") - 1
    return np.asarray(order / max(order.max(), 1), np.float64)


@st.cache_data(max_entries=4, show_spinner="Opening the run …")
def ranks(run_id: str, epochs: int, source: str) -> NDArray[np.float64]:
    """Return each training image's hardness for a run, `(N,)`: a cached `core.runs.hardness.of`."""
    from core.runs import hardness

    return hardness.of(catalogue.get(run_id), cache.digits(source))

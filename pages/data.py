from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.data import statistics
from core.data.digits import SOURCES
from core.jobs import limits
from ui import cache, format
from ui.components.chart import chart
from ui.components.tiles import strip
from ui.data import browse, download, duplicates, plane, suspects

_SPLITS = {"train": "Training", "test": "Test"}
_VIEWS = {
    "Gallery": browse.show_gallery,
    "Map": plane.show,
    "Labels": suspects.show,
    "Near-duplicates": duplicates.show,
}


@st.cache_data(max_entries=2, show_spinner="Counting …")
def _facts(source: str) -> pd.DataFrame:
    facts = statistics.facts(cache.digits(source))
    table = {
        "Images": facts["images"].map(format.count),
        "Size": [f"{row.height} × {row.width} pixels" for row in facts.itertuples()],
        "Classes": facts["classes"].map(str),
        "Values": [f"{row.lowest} to {row.highest}" for row in facts.itertuples()],
        "Mean, black 0 and white 1": facts["mean"].map("{:.4f}".format),
        "Standard deviation": facts["std"].map("{:.4f}".format),
    }
    facts_by_split = pd.DataFrame(table).rename(index=_SPLITS).T
    return facts_by_split.rename_axis("Fact").reset_index()


@st.cache_data(max_entries=2, show_spinner=False)
def _counts(source: str) -> pd.DataFrame:
    return statistics.class_counts(cache.digits(source))


@st.cache_data(max_entries=2, show_spinner=False)
def _means(source: str) -> NDArray[np.float32]:
    digits = cache.digits(source)
    return statistics.mean_images(digits.train_images, digits.train_labels)


def _tabs(names: list[str], key: str) -> Sequence[Any]:
    """Return tabs; which one is open is remembered when the page is left."""
    kept = f"{key}-kept"
    if key not in st.session_state and kept in st.session_state:
        st.session_state[key] = st.session_state[kept]
    tabs = st.tabs(names, key=key, on_change="rerun")
    st.session_state[kept] = st.session_state[key]
    return tabs


st.title("Data")
digits, problem = cache.digits_in_use()
if digits.source == "sample" and not limits.is_demo():  # a demo always uses the sample
    download.panel(problem)

left, right = st.columns(2, gap="medium")
with left:
    for tab, show in zip(_tabs(list(_VIEWS), "data-view"), _VIEWS.values(), strict=True):
        if tab.open:  # what is closed is not computed
            with tab:
                show(digits)
with right:
    choice = browse.chosen(digits)
    values, augmented = _tabs(["Pixels", "Augmentation"], "data-look")
    with augmented if augmented.open else values:
        st.markdown(
            f"Label **{choice.digit}** · {_SPLITS[choice.split].lower()} image {choice.index:,}"
        )
        if augmented.open:
            browse.show_augmentation(choice)
        else:
            browse.pixels(choice)

st.header("In numbers")
left, right = st.columns([5, 6], gap="large")
with left:
    st.table(_facts(digits.source), hide_index=True)
    st.caption(f"{SOURCES[digits.source]}. Checksum {digits.checksum}.")
with right:
    from core.figures.digits import class_shares

    chart(class_shares(_counts(digits.source)), "data-classes", height=320)
st.header("The mean training image of each digit")
strip(_means(digits.source), [str(digit) for digit in range(10)], columns=10)

"""Controls for a gallery of a data set: the choice of a split and of a page."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import format

PAGE_SIZE = 60
SPLITS = {"train": "Training", "test": "Test", "all": "Both"}


def choose_split(
    place: DeltaGenerator,
    key: str,
    default: str,
    on_change: Callable[[], None],
    explanation: str | None = None,
) -> str:
    """Show the choice of split in `place`; return a key of SPLITS."""
    return place.segmented_control(
        "Split",
        list(SPLITS),
        default=default,
        required=True,
        format_func=SPLITS.__getitem__,
        key=key,
        help=explanation,
        on_change=on_change,
        persist_state="session",
    )


def first_page(key: str) -> Callable[[], None]:
    """Return a callback that goes back to the first page, for when the gallery's images change."""

    def go_back() -> None:
        st.session_state[key] = 1

    return go_back


def choose_page(place: DeltaGenerator, key: str, count: int, explanation: str) -> slice:
    """Show the choice of page for `count` images in `place`; return the slice of its images."""
    pages = max(1, -(-count // PAGE_SIZE))
    page = place.number_input(
        f"Page of {format.count(pages)}",
        1,
        pages,
        key=key,
        width=140,
        help=explanation,
        persist_state="session",
    )
    return slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)

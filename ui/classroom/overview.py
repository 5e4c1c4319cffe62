"""The teacher's view of a class: how to join, who is there, and which runs are in progress."""

import os

import pandas as pd
import segno
import streamlit as st

from core.my_digits import collection
from core.runs import catalogue
from core.runs.run import Run, State
from ui import format, guards, people, stop
from ui.classroom.attendance import AWAY, attendance

_EVERY = 4  # seconds between two updates
_QR_WIDTH = 340  # CSS pixels


def join() -> None:
    """Show the address to join at, and its QR code."""
    address = os.environ.get("DIGITLAB_CLASS", "")
    if not address.startswith("http"):
        st.info("Start Digit Lab with `make class`. Then this page shows the address to join.")
        return
    st.subheader("Join at")
    st.title(address, anchor=False)  # Markdown makes it a link
    code = segno.make(address, error="m")
    picture = code.svg_inline(scale=8, border=3, dark="black", light="white")
    st.image(picture, width=_QR_WIDTH)
    st.caption("Any browser on the same network will do. It asks only for a name.")


@st.fragment(run_every=_EVERY)
def class_now() -> None:
    """Show who is there and which runs train, kept up to date; an admin can stop any run."""
    with guards.messages():
        runs = catalogue.listed()
        _people(runs)
        _in_progress([run for run in reversed(runs) if not run.state.is_over])


def _people(runs: list[Run]) -> None:
    rows = []
    for tags, name, seconds in attendance().people():
        own = [run for run in runs if run.owner in tags]
        best = catalogue.best(own)
        rows.append(
            {
                "name": name,
                "seen": "now" if seconds < AWAY else f"{format.duration(seconds)} ago",
                "runs": len(own),
                "best": 100 * best.validation_accuracy
                if best and best.validation_accuracy
                else None,
                "digits": sum(len(collection.names(tag)) for tag in tags),
            }
        )
    there = sum(row["seen"] == "now" for row in rows)
    st.subheader(f"{there} {'person' if there == 1 else 'people'} here")
    st.dataframe(
        pd.DataFrame(rows, columns=["name", "seen", "runs", "best", "digits"]),
        column_config={
            "name": "Name",
            "seen": st.column_config.TextColumn("Seen", help="When their browser was last seen."),
            "runs": st.column_config.NumberColumn("Runs"),
            "best": st.column_config.NumberColumn(
                "Best run", format="%.2f %%", help="The highest validation accuracy of their runs."
            ),
            "digits": st.column_config.NumberColumn("Digits", help="Saved in My digits."),
        },
        hide_index=True,
        height="content" if len(rows) <= 10 else 388,
        placeholder="–",
    )


def _in_progress(active: list[Run]) -> None:
    st.subheader("In progress")
    if not active:
        st.caption("No training is in progress.")
    for run in active:
        line = st.container(horizontal=True, vertical_alignment="center")
        state = "queued" if run.state == State.QUEUED else f"epoch {run.current_epoch}"
        line.markdown(f"**{format.plain(run.author)}**: {format.plain(run.name)}, {state}")
        if people.me().may_change(run.owner):
            stop.button(run, line, f"end-{run.id}")

"""The sidebar of every page: links, device, data in use and runs in progress."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from core.data import mnist
from core.data.digits import SOURCES
from core.errors import UserError
from core.runs.run import State
from ui import cache, format, people
from ui.classroom.attendance import attendance

_SOON = 4  # seconds between two updates of the status while the server loads its libraries
_EVERY = 10  # the same later: each takes a trainer's processor 40 ms, mostly in the browser

_fold = st.components.v2.component(
    "digitlab_fold",
    html="<span></span>",
    js=(Path(__file__).parent / "components" / "fold.js").read_text(),
)


def sidebar(pages: Mapping[Page, str]) -> None:
    """Show the sidebar and keep it up to date; `pages` maps each page to its icon."""
    cache.warm_up()
    with st.sidebar:
        st.markdown("### Digit Lab")
        for page, icon in pages.items():
            st.page_link(page, icon=icon)
        people.badge()
        st.divider()
        st.fragment(_status, run_every=_SOON if cache.warm_up().is_alive() else _EVERY)()
        _fold(key="fold")


def _status() -> None:
    attendance().note(people.me())
    if cache.warm_up().is_alive():
        st.caption(":material/memory: Getting ready …")
        # Reading the digits and checking them would hold up the first page.
        st.caption(f":material/database: {SOURCES[mnist.source()]}")
        return
    device = cache.device()
    st.caption(
        f":material/memory: **{format.plain(device.name)}** · {device.precision}",
        help=format.plain(
            f"{device.kind}: {device.reason}. {device.precision}: {device.precision_reason}."
        ),
    )
    digits, problem = cache.digits_in_use()
    st.caption(
        f":material/database: {SOURCES[digits.source]}", help=format.message(problem) or None
    )
    _in_progress()


def _in_progress() -> None:
    from core.runs import membership
    from ui import runs

    try:
        waiting = runs.in_progress()
    except UserError as error:
        st.caption(f":material/cloud_off: {format.message(error)}")
        return
    for place, run in enumerate(waiting):
        where = "" if membership.is_here(run) else f" on {run.host}"
        name = format.plain(run.name + where)
        if run.state == State.QUEUED:
            behind = any(other.host == run.host for other in waiting[:place])
            waits = "is queued" if behind else "is starting"
            st.caption(f":material/hourglass: {name} {waits}")
        else:
            accuracy = f", {format.percent(run.validation_accuracy)}" if run.epochs else ""
            st.progress(
                run.progress,
                f"{name}: epoch {run.current_epoch} of {run.config.epochs}{accuracy}",
            )

"""Buttons for a sweep: pause, resume, add trials or a worker, confirm, change bounds, delete."""

import streamlit as st

from core.runs.person import Person
from core.sweeps import control
from core.sweeps.sweep import Sweep
from ui import people


def show(now: Sweep) -> None:
    """Show the buttons for what the visitor may do with the sweep in its current state."""
    me = people.me()
    if not me.may_change(now.plan.owner):
        return
    with st.container(horizontal=True):
        _pause_or_resume(now, me)
        if now.state == "waiting" and st.button(
            "Add a worker",
            key="sweep-worker",
            icon=":material/add:",
            help="No trial is running. Start a process on this machine that does them.",
        ):
            control.launch(now.name, 1)
        if not now.confirming:
            _confirm(now, me)
            _more_trials(now, me)
            _other_bounds(now, me)
        st.space("stretch")  # keeps Delete away from the other buttons
        _delete(now, me)


def _pause_or_resume(now: Sweep, me: Person) -> None:
    if now.state == "paused":
        if st.button("Resume", key="sweep-resume", icon=":material/play_arrow:"):
            control.resume(now.name, me)
            st.rerun()
    elif now.state != "finished" and st.button(
        "Pause",
        key="sweep-pause",
        icon=":material/pause:",
        help="No new trial starts; those in progress continue.",
    ):
        control.pause(now.name, me)
        st.rerun()


def _confirm(now: Sweep, me: Person) -> None:
    """Offer to train the best settings again with other seeds, once no trial is left to do."""
    is_over = now.state in ("finished", "paused") and not now.open
    if not (is_over and now.best):
        return
    if st.button(
        "Confirm the best five",
        key="sweep-confirm",
        icon=":material/verified:",
        help="End the search, and train the five best settings with five other seeds each, to find "
        "out which is really best. Only the winner reads the test images.",
    ):
        control.confirm(now.name, 5, 5, me)
        control.launch(now.name, 1)
        st.rerun()


def _more_trials(now: Sweep, me: Person) -> None:
    with st.popover("More trials", icon=":material/add:"):
        count = st.number_input("Further trials", 1, 1_000, 10, key="sweep-more")
        if st.button("Add", key="sweep-more-add"):
            control.more(now.name, count, me)
            control.launch(now.name, 1)
            st.rerun()


def _other_bounds(now: Sweep, me: Person) -> None:
    with st.popover("Bounds", icon=":material/tune:"):
        texts = {
            field: st.text_input(
                field.replace("_", " "), str(bounds), key=f"sweep-new-{now.name}-{field}"
            )
            for field, bounds in now.plan.space.items()
        }
        if st.button(
            "Change",
            key="sweep-bounds-change",
            help="New trials stay within these bounds; trials outside no longer guide the search.",
        ):
            control.bounds(now.name, texts, me)
            st.rerun()


def _delete(now: Sweep, me: Person) -> None:
    with st.popover("Delete …", icon=":material/delete:", key="sweep-delete-ask"):
        st.markdown("The sweep will be deleted permanently. The runs of its trials stay.")
        if st.button("Delete", key="sweep-delete", type="primary"):
            control.delete(now.name, me)
            st.rerun()

"""Teach a run my digits, and compare its accuracy before and after."""

import pandas as pd
import streamlit as st

from core.errors import RunError, UserError
from core.evaluation import metrics
from core.my_digits import hands
from core.my_digits.finetune import NOT_IN_DEMO, start
from core.runs import answers
from core.runs.answers import Result
from core.runs.run import Run, State
from ui import cache, format, guards, keys, people, runs


def offer(run: Run, result: Result) -> None:
    """Show the button to teach the run my digits; for a taught run, before and after."""
    st.header("Teach it your handwriting")
    if run.taught_from:
        _before_and_after(run)
    if people.me().shelf is not None:
        st.caption(NOT_IN_DEMO)
        return
    if run.why_sealed:
        st.caption(format.plain(run.why_sealed))
        return
    learning = st.session_state.get(keys.TEACHING)
    if learning:
        st.fragment(_progress, run_every=1)(learning)
    elif st.button(
        "Teach it my digits",
        key="teach",
        icon=":material/school:",
        help="Train this network for a few more seconds, on MNIST mixed with your digits. The "
        "result is a new run; this one does not change.",
    ):
        st.session_state[keys.TEACHING] = start(run, people.me()).id
        st.rerun()
    if len(result.labels) < 20:
        st.caption("Save a few drawings of each digit first: from too few, it learns little.")


def _progress(run_id: str) -> None:
    with guards.messages():
        try:
            run = runs.get(run_id)
        except RunError:  # deleted in another session
            st.session_state.pop(keys.TEACHING, None)
            st.rerun()
        if not run.state.is_over:
            st.progress(run.progress, f"{format.plain(run.name)}: {run.state} …")
            return
        st.session_state.pop(keys.TEACHING, None)
        if run.state == State.FINISHED:
            st.session_state[keys.RUN] = run_id
            st.rerun()
        st.error(f"{format.plain(run.name)} {run.state}: {format.plain(run.reason)}")


def _before_and_after(run: Run) -> None:
    try:
        before = runs.get(run.taught_from)
        rows = [_row("before", before), _row("after", run)]
    except UserError as error:
        st.caption(f"The accuracy before is not available: {format.message(error)}")
        return
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", key="before-and-after")
    st.caption(
        "It has learned from exactly these digits, so its accuracy on them proves little: draw new "
        "ones to test it. A lower accuracy on MNIST's test images shows what it has forgotten."
    )


def _row(when: str, run: Run) -> dict[str, str]:
    row = {"": f"{when}: {run.name}"}
    known = answers.may_have_seen(run, cache.digits_for(run))
    mine, _ = cache.drawn(run, [hands.own(people.me())])
    mnist = cache.result(run, answers.KNOWN if known else "test")
    for title, result in (("my digits", mine), ("MNIST test", mnist)):
        row[title] = format.percent(metrics.score(result.probabilities, result.labels)[1])
    if known:
        row["MNIST test"] += " (may have learned from some)"
    return row

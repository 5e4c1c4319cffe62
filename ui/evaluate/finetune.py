"""Teach a run my digits, and see what it was like before and after, on them and on MNIST."""

import pandas as pd
import streamlit as st

from core.errors import RunError, UserError
from core.evaluation import metrics
from core.my_digits import collection
from core.my_digits.finetune import start
from core.runs import answers, catalogue
from core.runs.answers import Result
from core.runs.run import Run, State
from ui import cache, format, guards, keys


def offer(run: Run, result: Result) -> None:
    """Offer to teach the run my digits; of one that was taught, show before and after."""
    st.subheader("Teach it your hand")
    if run.taught_from:
        _before_and_after(run)
    learning = st.session_state.get(keys.TEACHING)
    if learning:
        st.fragment(_progress, run_every=1)(learning)
    elif st.button(
        "Teach it my digits",
        key="teach",
        icon=":material/school:",
        help="Goes on training this network for some seconds, on MNIST mixed with your digits, as "
        "a new run; this one stays as it is.",
    ):
        st.session_state[keys.TEACHING] = start(run).id
        st.rerun()
    if len(result.labels) < 20:
        st.caption("A few of each digit teach more: it learns how you write, not single drawings.")


def _progress(run_id: str) -> None:
    with guards.messages():
        try:
            run = catalogue.get(run_id)
        except RunError:  # somebody deleted it
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
        before = catalogue.get(run.taught_from)
        rows = [_row("before", before), _row("after", run)]
    except UserError as error:
        st.caption(f"What it was like before is not known: {format.message(error)}")
        return
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", key="before-and-after")
    st.caption(
        "It has learned from these very digits, so that it reads them now is no proof: draw new "
        "ones. What it reads of MNIST's test images says what it forgot."
    )


def _row(when: str, run: Run) -> dict[str, str]:
    row = {"": f"{when}: {run.name}"}
    known = answers.may_have_seen(run, cache.digits_for(run))
    for title, split in (
        ("my digits", collection.SPLIT),
        ("MNIST test", answers.KNOWN if known else "test"),
    ):
        result = cache.result(run, split)
        row[title] = format.percent(metrics.score(result.probabilities, result.labels)[1])
    if known:
        row["MNIST test"] += " (it knew some)"
    return row

"""Whether one selected network or setting is better than another, and where they disagree."""

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import UserError
from core.evaluation import significance
from core.reading.answer import share
from core.runs import answers, compare, settings, verdicts
from core.runs.run import Run
from core.runs.settings import Setting
from ui import cache, format, keys
from ui.components.gallery import gallery

_MOST = 66  # images in the gallery, the most confident mistakes first


def settings_verdict(groups: list[Setting]) -> None:
    """Show each setting's mean, and its difference from the baseline with Welch's test."""
    labels = dict(zip((one.key for one in groups), settings.labels(groups), strict=True))
    if max(len(one.test_accuracies) for one in groups) < 2:
        return
    st.header("Which setting is better?")
    if st.session_state.get(keys.BASELINE) not in labels:
        st.session_state[keys.BASELINE] = groups[0].key
    chosen = st.selectbox(
        "Baseline",
        list(labels),
        format_func=labels.__getitem__,
        key=keys.BASELINE,
        persist_state="session",
        width=260,
        help="The other settings are shown as differences from this one.",
    )
    baseline = next(one for one in groups if one.key == chosen)
    if len({run.data_checksum for one in groups for run in one.seeds if run.test_accuracy}) > 1:
        st.markdown("Not available: the runs were tested on different images.")
        return
    found = {
        one.key: significance.welch(one.test_accuracies, baseline.test_accuracies)
        for one in groups
        if one is not baseline
    }
    rows = [
        verdicts.row(labels[one.key], one, found.get(one.key), one is baseline) for one in groups
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", key="settings-verdict")
    for key, seeds in found.items():
        names = format.plain(labels[key]), format.plain(labels[chosen])
        st.markdown("**{}**{}".format(*verdicts.of_settings(seeds, *names)))
    st.caption(verdicts.WELCH)


def verdict(first: Run, second: Run) -> None:
    """Show whether the difference between two runs' test accuracies is significant."""
    st.header("Is one better?")
    untested = [run for run in (first, second) if run.test_accuracy is None]
    for run in untested:
        if run.seen:
            reason = answers.why_no_test(run)
            st.markdown(f"Not available: {format.plain(reason)}")
            return
    if untested:
        st.markdown("Available once both runs have been tested.")
        return
    if first.data_checksum != second.data_checksum:
        st.markdown("Not available: the runs were tested on different images.")
        return
    try:
        paired = significance.mcnemar(*(cache.result(run, "test").right for run in (first, second)))
    except UserError as error:
        st.markdown(f"Not available: {format.message(error)}")
        return
    names = map(format.plain, compare.labels([first, second]))
    st.markdown("**{}**{}".format(*verdicts.of_networks(paired, *names)))
    st.caption(verdicts.MCNEMAR)


def gallery_of_disagreements(first: Run, second: Run) -> None:
    """Show the test images that one of two runs reads right and the other does not."""
    if any(run.test_accuracy is None for run in (first, second)):
        return
    try:
        results = [cache.result(run, "test") for run in (first, second)]
    except UserError:  # the verdict above says why
        return
    if not np.array_equal(results[0].labels, results[1].labels):
        return
    a, b = (result.probabilities for result in results)
    truth, images = results[0].labels, results[0].images
    found = compare.disagreements(a, b, truth)
    if not len(found):
        return
    names = compare.labels([first, second])
    st.header("Where they disagree")
    shown = found[:_MOST]
    gallery(
        images[shown],
        [_caption(a[i], b[i], int(truth[i])) for i in shown],
        "disagreements",
        labels=[_spoken(a[i], b[i], int(truth[i]), names) for i in shown],
    )
    st.caption(
        f"{len(found):,} test images that only one of the two reads right, the most confident "
        f"mistakes first{f'; the first {_MOST} are shown' if len(found) > _MOST else ''}. Below "
        "each: the true digit, the wrong answer with its confidence, and which of the two gave it: "
        f"1 is {format.plain(names[0])}, 2 is {format.plain(names[1])}."
    )


def _caption(a: np.ndarray, b: np.ndarray, truth: int) -> str:
    loser, number = (b, 2) if a.argmax() == truth else (a, 1)
    return f"{truth} → {loser.argmax()}, {share(float(loser.max()))} · {number}"


def _spoken(a: np.ndarray, b: np.ndarray, truth: int, names: list[str]) -> str:
    loser, name = (b, names[1]) if a.argmax() == truth else (a, names[0])
    sure = share(float(loser.max()))
    return f"A {truth}, which {name} takes for a {loser.argmax()}, {sure} sure"

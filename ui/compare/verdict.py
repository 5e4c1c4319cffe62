"""Whether one selected network or setting is better than another, and where they disagree."""

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import UserError
from core.evaluation import significance
from core.reading.answer import share
from core.runs import answers, compare, settings
from core.runs.run import Run
from core.runs.settings import Setting
from ui import cache, format, keys
from ui.components.gallery import gallery

_MOST = 66  # images of a gallery, the surest mistakes


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
        help="The other settings are told as differences from this one.",
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
    rows = [_row(labels[one.key], one, found.get(one.key), one is baseline) for one in groups]
    st.dataframe(pd.DataFrame(rows), hide_index=True, height="content", key="settings-verdict")
    for key, seeds in found.items():
        st.markdown(_told(seeds, format.plain(labels[key]), format.plain(labels[chosen])))
    st.caption(
        "Welch's t test of the test accuracies, two-sided, one number a seed. It says whether a "
        "setting is better whatever the seed; choose between settings by validation. Of twenty "
        "comparisons of equals, one comes out as significant by chance."
    )


def _row(
    label: str, setting: Setting, seeds: significance.Seeds | None, is_baseline: bool
) -> dict[str, str]:
    """Return a setting's row: mean, deviation, n, and the difference from the baseline."""
    spread = setting.spread("test_accuracy")
    return {
        "setting": label,
        "test accuracy": format.spread(spread),
        "validation": format.spread(setting.spread("validation_accuracy")),
        "seeds tested": str(spread.n if spread else 0),
        "difference": "baseline" if is_baseline else _points(seeds.difference) if seeds else "–",
        "95 % interval": f"{_points(seeds.low)} to {_points(seeds.high)}" if seeds else "–",
        "p": _p(seeds.p_value) if seeds else "–",
    }


def _points(difference: float) -> str:
    """Return a difference of accuracies in percentage points."""
    return f"{100 * difference:+.2f}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}"


def _told(seeds: significance.Seeds | None, label: str, baseline: str) -> str:
    """Return in words what a test says, and with how many runs it could say more."""
    if seeds is None:
        return (
            f"**{label}** and {baseline} cannot be told apart yet: that takes at least two tested "
            "seeds of each, which differ. Train them again."
        )
    chance = f"p {'' if seeds.p_value < 1e-4 else '= '}{_p(seeds.p_value)}"
    if seeds.p_value < significance.LEVEL:
        better = "better" if seeds.difference > 0 else "worse"
        return f"**{label} is significantly {better} than {baseline}** ({chance})."
    needed = (
        f"a true difference as large as the one seen takes {seeds.needed} seeds of each"
        if seeds.needed
        else "a true difference as small as the one seen takes more than 200 seeds of each"
    )
    return (
        f"**Between {label} and {baseline} the difference may be chance** ({chance}). So many "
        f"seeds find a difference of {100 * seeds.detectable:.2f} percentage points four times of "
        f"five; {needed}."
    )


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
        paired = significance.mcnemar(*(_right(run) for run in (first, second)))
    except UserError as error:
        st.markdown(f"Not available: {format.message(error)}")
        return
    st.markdown(_sentence(paired, *map(format.plain, compare.labels([first, second]))))
    st.caption(
        "Exact McNemar test on the test images that only one of the two gets right. It compares "
        "these two trained networks; training again with another seed gives a different network."
    )


def _right(run: Run) -> np.ndarray:
    """Return which test images a run reads correctly. Raises UserError."""
    result = cache.result(run, "test")
    return np.asarray(result.probabilities.argmax(1) == result.labels)


def _sentence(paired: significance.Paired, first: str, second: str) -> str:
    a, b, p = paired.only_first, paired.only_second, paired.p_value
    if a < b:
        first, second, a, b = second, first, b, a
    chance = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    if a + b == 0:
        return f"**No difference**: {first} and {second} get exactly the same test images right."
    alone = f"alone gets {a:,} test images right, {second} alone {b:,}"
    if p < significance.LEVEL:
        return f"**{first} is significantly better than {second}** ({chance}): it {alone}."
    return f"**The difference may be chance** ({chance}): {first} {alone}."


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
        f"{len(found):,} test images that only one of the two reads right, the surest mistakes "
        f"first{f'; the first {_MOST} are shown' if len(found) > _MOST else ''}. Below each: the "
        "true digit, what the wrong one answers and how sure it is, and which of the two is wrong: "
        f"1 is {format.plain(names[0])}, 2 is {format.plain(names[1])}."
    )


def _caption(a: np.ndarray, b: np.ndarray, truth: int) -> str:
    loser, number = (b, 2) if a.argmax() == truth else (a, 1)
    return f"{truth} → {loser.argmax()}, {share(float(loser.max()))} · {number}"


def _spoken(a: np.ndarray, b: np.ndarray, truth: int, names: list[str]) -> str:
    loser, name = (b, names[1]) if a.argmax() == truth else (a, names[0])
    sure = share(float(loser.max()))
    return f"A {truth}, which {name} takes for a {loser.argmax()}, {sure} sure"

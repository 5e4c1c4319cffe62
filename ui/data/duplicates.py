"""Near-duplicates: search for them, look at the pairs, and see their effect on test accuracy."""

import numpy as np
import streamlit as st

from core.data import duplicates, selection
from core.data.digits import Digits
from core.data.duplicates import ALIKE, PLACES, Neighbors
from core.errors import UserError
from core.evaluation import leakage
from core.jobs import duplicates as job
from core.runs import answers
from ui import cache, format, guards, keys
from ui.components.gallery import gallery
from ui.data.browse import HEIGHT

_MOST = 60  # pairs in the gallery
_GAP = 2  # pixels between the two digits of a tile
_WHAT = (
    "A second digit that looks just like another teaches a network little, and a test digit that "
    "looks like a training digit tests little. Digits are compared by shape, wherever they are in "
    "the picture."
)


def show(digits: Digits) -> None:
    """Show the most similar pairs, or offer to search for them."""
    found = _found(digits.source, job.job(digits).share is None)
    if found is not None:
        _pairs(digits, found)
        return
    going = job.job(digits).share is not None
    st.fragment(_search, run_every=0.5 if going else None)(digits, going)


@st.cache_resource(max_entries=2, show_spinner=False)
def _kept(source: str, written: bool) -> Neighbors | None:
    return job.result(cache.digits(source))


def _found(source: str, idle: bool) -> Neighbors | None:
    """Return the result, read only once; None before the first search."""
    found = _kept(source, idle)
    if found is None:
        _kept.clear()
    return found


def _search(digits: Digits, was_going: bool) -> None:
    share = job.job(digits).share
    if (share is not None) != was_going:
        st.rerun()  # it began or ended: update the interval, or show the result
    st.markdown(_WHAT)
    if share is not None:
        st.progress(share, f"Comparing every digit with every other: {share:.0%}")
        st.caption("It continues when you leave this page.")
        return
    if trouble := job.job(digits).problem:
        st.warning(format.message(trouble), icon=":material/warning:")
    if st.button(
        "Search for near-duplicates",
        key="search-duplicates",
        icon=":material/compare:",
        help="Compare every digit with every other. This takes seconds for the sample, and up to a "
        "minute for all 70,000. The result is kept.",
    ):
        with guards.messages():
            job.start(digits)
        st.rerun()


def _pairs(digits: Digits, found: Neighbors) -> None:
    top = st.container(horizontal=True, vertical_alignment="bottom")
    place = top.segmented_control(
        "Pairs",
        list(PLACES),
        default="between",
        required=True,
        format_func=PLACES.__getitem__,
        key="data-duplicates-place",
        persist_state="session",
        help="Where the two digits of a pair come from.",
    )
    percent = top.slider(
        "Difference, at most",
        4,
        20,
        round(100 * ALIKE),
        format="%d %%",
        key="data-duplicates-most",
        persist_state="session",
        width=190,
        help="A copy differs by 0 %. When copies were turned by up to 4°, moved, blurred or "
        "roughened, 95 in 100 differed by less than 11 %.",
    )
    alike, first_test = percent / 100, len(digits.train_labels)
    couples, gaps = duplicates.pairs(found, first_test, place, alike)
    labels = np.concatenate([digits.train_labels, digits.test_labels])[couples].reshape(-1, 2)
    st.markdown(_count(labels))
    shown = couples[:_MOST]
    with st.container(height=HEIGHT - 150, border=False):
        if len(shown):
            _gallery(digits, shown, labels, gaps)
    _owed(digits, found, alike)


def _signed(points: float) -> str:
    """Return percentage points with a sign; the minus is not a hyphen."""
    return f"{points:+.3f}".replace("-", "−")


def _count(labels: np.ndarray) -> str:
    """Say how many pairs there are, and how many of them are ones."""
    if not len(labels):
        return "**No pair** is that similar."
    ones = int((labels == 1).all(axis=1).sum())
    unlike = int((labels[:, 0] != labels[:, 1]).sum())
    first = f" The {_MOST} most similar:" if len(labels) > _MOST else ""
    share = "all" if ones == len(labels) else f"{ones:,}"
    strokes = f", {share} of ones, which are single strokes" if ones else ""
    other = f"; {unlike:,} with two different labels" if unlike else ""
    return f"**{format.counted(len(labels), 'pair')}**{strokes}{other}.{first}"


def _gallery(
    digits: Digits,
    shown: np.ndarray,
    labels: np.ndarray,
    gaps: np.ndarray,
) -> None:
    (left, _), (right, _) = (selection.take(digits, shown[:, side]) for side in (0, 1))
    between = np.full((len(shown), left.shape[1], _GAP), 110, np.uint8)
    unlike = labels[: len(shown), 0] != labels[: len(shown), 1]
    names = [" and ".join(_name(digits, int(number)) for number in couple) for couple in shown]
    said = [f"{a}" if a == b else f"{a} and {b}" for a, b in labels[: len(shown)]]
    picked = gallery(
        np.concatenate([left, between, right], axis=2),
        [f"{digit} · {100 * gap:.1f}\u00a0%" for digit, gap in zip(said, gaps, strict=False)],
        "data-duplicates",
        wrong=unlike,
        size=52,
        labels=[f"{digit}, {name}" for digit, name in zip(said, names, strict=True)],
    )
    if picked is not None and shown[picked].tolist() != st.session_state.get(keys.DUPLICATES):
        st.session_state[keys.DUPLICATES] = shown[picked].tolist()
        st.session_state[keys.CHOSEN] = (digits.source, int(shown[picked][0]))


def _name(digits: Digits, number: int) -> str:
    split, index = selection.place(digits, number)
    return f"{split} image {index}"


def _owed(digits: Digits, found: Neighbors, alike: float) -> None:
    """Show the accuracy of a run on test digits with and without a near-duplicate in training."""
    st.markdown("**How much do they raise a test accuracy?**")
    with guards.messages():
        run = guards.choose_run()
    if answers.source_for(run) != digits.source:
        st.caption("Not available: this run was trained on other digits.")
        return
    try:
        split = answers.splits(run, digits)[0]
        if split == "validation":
            st.caption("Available once this run has been tested.")
            return
        result = cache.result(run, split)
    except (UserError, IndexError) as error:
        st.caption(f"Not available: {format.message(str(error) or 'it has no answers')}")
        return
    first_test = len(digits.train_labels)
    has = found.difference[first_test:, 0] <= alike
    if len(has) != len(result.labels):
        st.caption("Not available: this run was tested on other digits.")
        return
    owed = leakage.owed(result.right, has)
    if owed is None:
        st.markdown("Not at all: no test digit has a near-duplicate in the training set.")
        return
    low, high = (100 * end for end in owed.owed_interval)
    st.markdown(
        f"Of {format.counted(owed.with_count, 'test digit')} with a near-duplicate in the training "
        f"set, {format.percent(owed.with_accuracy)} are read right; of the "
        f"{owed.without_count:,} others, {format.percent(owed.without_accuracy)}. Without the "
        f"near-duplicates, the accuracy would be **{100 * owed.owed:.3f} points** lower "
        f"(95 % interval: {_signed(low)} to {_signed(high)})."
    )
    st.caption("This is an upper bound: digits that look like many others are also easy to read.")

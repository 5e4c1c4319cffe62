"""The images that a run is evaluated on: the choice of a split, or of people's own digits."""

from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.my_digits import collection, hands
from core.my_digits.hands import Hand
from core.runs import answers
from core.runs.answers import Result
from core.runs.run import Run
from ui import cache, format, keys, people
from ui.evaluate import class_digits


@dataclass(frozen=True)
class Images:
    """The chosen images: a split of the data that `run` is evaluated on, or digits people drew."""

    run: Run
    split: str
    drawn_by: list[Hand] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The title of the images: the split's name, or whose digits they are."""
        if self.split == hands.SPLIT and len(self.drawn_by) == 1:
            return f"digits of {self.drawn_by[0].name}"
        return self.split

    def answers_of(self, other: Run) -> Result:
        """Return a run's answers on the images; it may be another run than `run`."""
        if self.drawn_by:
            return cache.drawn(other, self.drawn_by)[0]
        digits = cache.digits_for(self.run)
        if self.split != "validation" and answers.may_have_seen(other, digits):
            return cache.result(other, answers.KNOWN)
        return cache.result(other, self.split.replace(answers.KNOWN, "test"))


def choose(run: Run, place: DeltaGenerator) -> Images:
    """Show the choice of images in `place`."""
    splits = [*answers.splits(run, cache.digits_for(run)), *class_digits.splits()]
    split = place.segmented_control(
        "Images",
        splits,
        default=splits[0],
        key=keys.SPLIT,
        persist_state="session",
        required=True,
        width="content",
        help="Test: images that are not used in training, and are read once at its end. Known: "
        "test images that the network may have learned from. Validation: images that chose the "
        "best epoch, so the accuracy is a little too high. My digits: those you saved on the Draw "
        "page. Class digits: those that everybody saved.",
    )
    if split == answers.KNOWN:
        st.caption(format.plain(answers.why_no_test(run)))
    if not (run.folder / f"{split}.npy").exists():
        cache.wait_for_torch()
    if split == hands.SPLIT:
        with place.container(width=180):
            return Images(run, split, class_digits.choose())
    return Images(run, split, [hands.own(people.me())] if split == collection.SPLIT else [])

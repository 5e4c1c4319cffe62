"""What the colors of the map show: labels, a run's answers, hardness, or whose digits they are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.data.digits import Digits
from core.errors import UserError
from core.figures.maps import COLORS, MINE, MNIST, OTHERS
from core.my_digits import hands
from core.runs import answers, catalogue
from ui import cache, format, guards, people, runs
from ui.data import hardness
from ui.setting_names import LABELS

_MOST = 1_000  # people's digits on a map


@dataclass(frozen=True, eq=False)
class Colored:
    """The points with the column that colors them, a caption, and people's digits to add.

    `people` has images `(M, 28, 28)` to be placed among the points, and their columns.
    """

    points: pd.DataFrame
    caption: str = ""
    people: tuple[NDArray[np.uint8], pd.DataFrame] | None = None


def choose(place: DeltaGenerator) -> str:
    """Show the choice of colors; return a key of COLORS."""
    return place.segmented_control(
        "Colors",
        list(COLORS),
        default="digit",
        required=True,
        format_func=COLORS.__getitem__,
        key="data-map-colors",
        persist_state="session",
        help="Color by label, by whether a run reads the image right, by how hard it was for a run "
        "to learn, or by who wrote it: MNIST's writers, you, or others.",
    )


def colored(
    place: DeltaGenerator, color: str, digits: Digits, points: pd.DataFrame, split: str
) -> Colored | None:
    """Return the points with the column for a color; None, after saying why, if it is missing."""
    try:
        if color == "answer":
            return _answers(place, digits, points, split)
        if color == "hardness":
            return _hardness(place, digits, points, split)
        if color == "source":
            return _sources(points)
    except UserError as error:
        st.warning(format.message(error), icon=":material/warning:")
        return None
    return Colored(points)


def _answers(
    place: DeltaGenerator, digits: Digits, points: pd.DataFrame, split: str
) -> Colored | None:
    found = {
        run.id: run
        for run in runs.listed_with_builtin()
        if run.state.is_over
        and run.best_epoch is not None
        and answers.source_for(run) == digits.source
    }
    chosen = place.selectbox(
        "Read by",
        list(found),
        format_func=lambda one: guards.run_title(found[one]),
        key="data-map-run",
        persist_state="session",
        width=300,
        help="The runs that have ended, on the data in use, and the network that comes with "
        "Digit Lab.",
    )
    run = found[chosen]
    if split == "train":
        cache.wait_for_torch()
        read = _read(run.id, run.best_epoch, digits.source, tuple(points["number"].tolist()))
        about = "It learned from most of these. A mistake is an image that it could not learn."
        return Colored(points.assign(answer=read), about)
    offered = [one for one in answers.splits(run, digits) if one != "validation"]
    if not offered:
        st.caption("This run has not been tested yet. Choose Training, or another run.")
        return None
    first = len(digits.train_labels)
    read = cache.result(run, offered[0]).probabilities.argmax(axis=1)
    return Colored(points.assign(answer=read[points["number"].to_numpy() - first]))


@st.cache_resource(max_entries=4, show_spinner="Reading the images …")
def _read(
    run_id: str, epoch: int | None, source: str, numbers: tuple[int, ...]
) -> NDArray[np.int64]:
    digits, chosen = cache.digits(source), np.array(numbers)
    images, labels = digits.train_images[chosen], digits.train_labels[chosen]
    result = answers.on_images(catalogue.get(run_id), images, labels)
    return np.asarray(result.probabilities.argmax(axis=1), np.int64)


def _hardness(
    place: DeltaGenerator, digits: Digits, points: pd.DataFrame, split: str
) -> Colored | None:
    if split == "test":
        st.caption("No network learns from test images. Choose Training.")
        return None
    found = runs.with_hardness(digits.checksum)
    if not found:
        st.caption(
            f"No run has recorded it yet: train one with “{LABELS['hardness']}” on, under “All "
            "settings” on the Train page."
        )
        return None
    chosen = place.selectbox(
        "Hard for",
        list(found),
        format_func=lambda one: found[one].name,
        key="data-map-hardness",
        persist_state="session",
        width=300,
        help="The runs that recorded how hard each image was for them.",
    )
    every = hardness.ranks(chosen, found[chosen].epochs, digits.source)
    own = every[points["number"].to_numpy()]
    order = hardness.scaled(own)
    about = "An image is hard if the run forgot it often, and read it wrong until late."
    return Colored(points.assign(hardness=order), about)


def _sources(points: pd.DataFrame) -> Colored:
    me = people.me()
    found = hands.seen_by(me)
    points = points.assign(source=MNIST)
    if not found:
        return Colored(points, "Nobody has saved digits yet. Save some on Draw.")
    kept, whose = cache.people_digits(found)
    mine = np.array([hand.tag == me.tag for hand in found])[whose]
    names = ["mine" if hand.tag == me.tag else f"of {hand.name}" for hand in found]
    more = pd.DataFrame(
        {
            "digit": kept.labels,
            "name": [names[one] for one in whose],
            "source": np.where(mine, MINE, OTHERS),
        }
    )[:_MOST]
    about = "Your digits and others' are placed beside the MNIST digits that they resemble most."
    return Colored(points, about, (kept.images[:_MOST], more))

"""The visitor's note on a label, the file of all notes, and training without the wrong labels."""

from collections import Counter

import streamlit as st

from core import recipes
from core.config import TrainConfig
from core.data.digits import Digits
from core.errors import UserError
from core.runs import label_notes
from core.runs.label_notes import VERDICTS, Image, Notes
from ui import format, guards, keys, people
from ui.train import settings


def ask(digits: Digits, image: Image, before: str | None) -> None:
    """Ask whether an image's label is right; a click saves the answer, another click removes it."""
    split, index = image
    key = f"label-{digits.source}-{split}-{index}"

    def keep() -> None:
        try:
            label_notes.note(image, st.session_state[key], digits.checksum, people.me())
        except UserError as error:  # a callback's error would be shown as a bug
            st.error(format.message(error), icon=":material/error:")

    st.session_state[key] = before
    st.segmented_control(
        "Is the label right?",
        VERDICTS,
        key=key,
        on_change=keep,
        help="Saved as your note. It changes neither the data nor what others see.",
    )


def summary(digits: Digits, notes: Notes) -> None:
    """Show how many labels the visitor noted, the file, and training without the wrong ones."""
    if not notes:
        return
    counts = Counter(notes.values())
    st.caption("You noted: " + ", ".join(f"{counts[one]:,} {one}" for one in VERDICTS) + ".")
    wrong = sum(split == "train" and one == "wrong" for (split, _), one in notes.items())
    line = st.container(horizontal=True)
    line.download_button(
        "Download my notes",
        lambda: label_notes.as_bytes(notes, digits.checksum),
        "label-notes.json",
        "application/json",
        key="label-notes-download",
        icon=":material/download:",
        on_click="ignore",
        help="All your notes on these data, as one file.",
    )
    if line.button(
        f"Train without {format.counted(wrong, 'wrong label')}",
        key="train-without",
        icon=":material/model_training:",
        disabled=not wrong,
        help="Set up a training that leaves out the training images whose label you noted as "
        "wrong. Validation and test images stay the same, so that runs can be compared."
        if wrong
        else "Note a training image's label as wrong first.",
    ):
        with guards.messages():
            checksum = label_notes.frozen(digits.checksum, people.me())
        before = st.session_state.get(keys.CONFIG, recipes.RECIPES["fast_cnn"].config.to_dict())
        config = TrainConfig(**before).changed({"notes": checksum})
        settings.take(config, st.session_state.get(keys.RECIPE, "fast_cnn"))
        st.switch_page("../pages/train.py")

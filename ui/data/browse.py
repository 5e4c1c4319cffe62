"""Browse the digits: a gallery with filters, and the selected image enlarged and augmented."""

from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import streamlit as st

from core.config import TrainConfig, config_fields
from core.data import selection
from core.data.digits import Digits
from core.recipes import RECIPES
from ui import cache, format, keys
from ui.components.chart import chart
from ui.components.gallery import gallery
from ui.components.tiles import strip
from ui.data import hardness, paging
from ui.setting_names import LABELS

HEIGHT = 520  # CSS pixels of the gallery, the map and the enlarged image
_DRAWS = 11
# Units of the sliders; bounds and steps come from the configuration.
_AUGMENTATION = {
    "rotation": "%.0f°",
    "shift": "%d px",
    "scale": "%.2f",
    "shear": "%.0f°",
    "aspect": "%.2f",
    "elastic": "%.1f px",
    "thickness": "%.1f px",
}


@dataclass(frozen=True)
class Chosen:
    """The enlarged image: `(28, 28) uint8`, its label, split and index."""

    image: np.ndarray
    digit: int
    split: str  # train or test
    index: int


def chosen(digits: Digits) -> Chosen:
    """Return the image last clicked in the gallery or on the map; initially the first image."""
    source, number = st.session_state.get(keys.CHOSEN, (digits.source, 0))
    number = number if source == digits.source else 0
    images, labels = selection.take(digits, np.array([number]))
    return Chosen(images[0], int(labels[0]), *selection.place(digits, number))


def show_gallery(digits: Digits) -> None:
    """Show the gallery, page by page, with its filters."""
    page_key = f"data-page-{digits.source}"
    back = paging.first_page(page_key)
    top = st.container(horizontal=True)
    split = paging.choose_split(
        top,
        "data-part",
        "train",
        back,
        "Networks learn from the training images and are tested on the test images.",
    )
    wanted = st.pills(
        "Digits",
        range(10),
        selection_mode="multi",
        key="data-digits",
        wrap=True,
        help="Show only these digits; all if none is selected.",
        on_change=back,
        persist_state="session",
    )
    found = hardness.ordered(digits, selection.numbers(digits, split, wanted))
    size = f"{paging.PAGE_SIZE} of {format.count(len(found))} images at a time."
    shown = found[paging.choose_page(top, page_key, len(found), size)]
    images, labels = selection.take(digits, shown)
    with st.container(height=HEIGHT, border=False):
        picked = gallery(
            images,
            [str(label) for label in labels],
            "data-gallery",
            size=52,
            labels=[
                f"{label}, image {number}" for number, label in zip(shown, labels, strict=True)
            ],
        )
    # The gallery keeps its selection through reruns, so only a new one counts. Otherwise, the rerun
    # after a click on the map would undo that click.
    clicked = None if picked is None else int(shown[picked])
    if clicked is not None and clicked != st.session_state.get(keys.CLICKED):
        st.session_state[keys.CHOSEN] = (digits.source, clicked)
    st.session_state[keys.CLICKED] = clicked


def pixels(choice: Chosen) -> None:
    """Show one image enlarged, with the value of each pixel."""
    from core.figures.digits import pixel_values

    chart(pixel_values(choice.image), "data-pixels", height=HEIGHT, tall=1)


@st.fragment
def show_augmentation(choice: Chosen) -> None:
    """Show one image and random versions of it, with sliders that begin with Train's settings."""
    from core.training.augmentation import augmented  # torch takes 2 s

    _follow_train()
    places = cycle(st.columns(2))
    values: dict[str, Any] = {}
    for place, (name, unit) in zip(places, _AUGMENTATION.items(), strict=False):
        metadata, kind = config_fields()[name].metadata, type(st.session_state[f"data-{name}"])
        values[name] = place.slider(
            LABELS[name],
            kind(metadata["low"]),
            kind(metadata["high"]),
            step=kind(metadata["step"]),
            format=unit,
            key=f"data-{name}",
            help=metadata["help"],
            persist_state="session",
        )
    seed = st.session_state.setdefault(keys.AUGMENTATION_SEED, 0)
    cache.wait_for_torch()
    draws = augmented(choice.image, TrainConfig(**values), _DRAWS, seed)
    original = choice.image[None].astype(np.float32) / 255
    strip(np.concatenate([original, draws]), ["original", *[""] * _DRAWS], columns=4)
    st.button(
        "Shuffle",
        icon=":material/shuffle:",
        key="data-shuffle",
        on_click=_shuffle,
        help="Draw new random versions with the same limits, as each epoch of a training does.",
    )


def _follow_train() -> None:
    """Set the sliders to Train's settings, initially and whenever those have changed."""
    default = RECIPES["fast_cnn"].config.to_dict()
    config = st.session_state.get(keys.CONFIG, default)
    on_train = {name: config[name] for name in _AUGMENTATION}
    if st.session_state.get(keys.AUGMENTATION) != on_train:
        st.session_state[keys.AUGMENTATION] = on_train
        for name, value in on_train.items():
            st.session_state[f"data-{name}"] = value
    recipe = RECIPES[st.session_state.get(keys.RECIPE, "fast_cnn")].title
    st.caption(
        f"The sliders begin with the settings on Train (recipe: {recipe}). Moving them here does "
        "not change those."
    )


def _shuffle() -> None:
    st.session_state[keys.AUGMENTATION_SEED] += 1

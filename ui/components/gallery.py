"""A gallery of digits to select from, as one component."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.figures.palette import WRONG
from ui.components.tiles import sprite

_HERE = Path(__file__).parent
_COLUMNS = 40  # of the sprite; the grid on the page has its own

_gallery = st.components.v2.component(
    "digitlab_gallery",
    html='<div class="gallery" role="group"></div>',
    css=(_HERE / "gallery.css").read_text(),
    js=(_HERE / "gallery.js").read_text(),
)


def gallery(
    images: np.ndarray,
    captions: Sequence[str],
    key: str,
    *,
    wrong: np.ndarray | None = None,
    size: int = 72,
    labels: Sequence[str] | None = None,
) -> int | None:
    """Show digits in a grid that wraps; return the index of the selected one, or None.

    `images` is `(N, H, W)`, uint8 or float32 in [0, 1]; `captions` are short texts shown below the
    images, not as Markdown; `wrong` is `(N,) bool`, True for a red border; `size` is the height of
    a tile in CSS pixels; `labels` are the texts for screen readers, by default the captions.

    The selection is a state value: it stays through reruns until another tile is clicked, the
    images change, or the gallery is no longer shown. A click reruns the page, or the fragment that
    the gallery is in.
    """
    revision = hashlib.blake2b(images.tobytes(), digest_size=8).hexdigest()

    def selected(state: Mapping[str, Any]) -> int | None:
        choice = state.get("choice") or {}
        return choice.get("index") if choice.get("revision") == revision else None

    state = _gallery(
        key=key,
        data={
            "sprite": sprite(images, _COLUMNS),
            "columns": _COLUMNS,
            "captions": list(captions),
            "labels": list(labels or captions),
            "wrong": [] if wrong is None else wrong.tolist(),
            "wrongColor": WRONG,
            "size": size,
            "width": size * images.shape[2] // images.shape[1],
            "revision": revision,
            # Sent back so that a gallery that is mounted again shows its selection.
            "selected": selected(st.session_state.get(key) or {}),
        },
        on_choice_change=lambda: None,
    )
    return selected(state)

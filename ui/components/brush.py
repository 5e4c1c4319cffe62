"""A digit whose pixels can be covered with a gray brush."""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.components.tiles import sprite

_HERE = Path(__file__).parent
_PIXELS = 28 * 28

_brush = st.components.v2.component(
    "digitlab_brush",
    html='<div class="sheet"><canvas width="28" height="28" tabindex="0" role="application">'
    '</canvas><span class="pen" hidden></span></div>',
    css=(_HERE / "brush.css").read_text(),
    js=(_HERE / "brush.js").read_text(),
)


def brush(
    image: NDArray[np.float32],
    covered: Collection[int],
    key: str,
    *,
    on_covered: Callable[[], None],
) -> None:
    """Show a `(28, 28)` digit in [0, 1] with the pixels of `covered`, row × 28 + column, in gray.

    `on_covered` is called several times a second while somebody paints; `pixels(state[key])`
    returns the pixels that are covered then.
    """
    _brush(
        key=key,
        data={"digit": sprite(image[None], 1), "covered": sorted(covered)},
        on_covered_change=on_covered,
    )


def pixels(state: object) -> frozenset[int]:
    """Return the covered pixels from the brush's state, which a browser sent; skip invalid ones."""
    named = _said(state).get("pixels")
    if not isinstance(named, list) or len(named) > _PIXELS:
        return frozenset()
    return frozenset(one for one in named if type(one) is int and 0 <= one < _PIXELS)


def is_lifted(state: object) -> bool:
    """Return whether a stroke has ended."""
    return _said(state).get("lifted") is True


def _said(state: object) -> dict[str, object]:
    said = getattr(state, "covered", None)
    return said if isinstance(said, dict) else {}

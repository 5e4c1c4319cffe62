"""The moments of a training, from noise to order, with a slider that needs no Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.figures.palette import CLASS_COLORS
from ui.components.maps import colored, data_url
from ui.components.tiles import sprite

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.forming import Formation

_HERE = Path(__file__).parent

_forming = st.components.v2.component(
    "digitlab_forming",
    html=(_HERE / "forming.html").read_text(),
    css=(_HERE / "forming.css").read_text(),
    js=(_HERE / "forming.js").read_text(),
)


def forming(found: "Formation", captions: Sequence[str], key: str) -> None:
    """Show the moments of a training, each with one of `captions`."""
    _forming(
        key=key,
        data={
            "captions": list(captions),
            "kernels": _pictures(found.kernels),
            "maps": None if found.maps is None else _pictures(found.maps),
            "digit": sprite(found.digit[None], 1),
            "confusion": found.confusion.reshape(len(captions), 100).tolist(),
            "points": np.clip(found.points * 1000, -3000, 3000)
            .round()
            .astype(int)
            .reshape(len(captions), -1)
            .tolist(),
            "labels": found.labels.tolist(),
            "colors": list(CLASS_COLORS),
        },
    )


def _pictures(values: NDArray[np.float32]) -> dict[str, object]:
    """Return `(M, K, h, w)` values as one picture, a row per moment, and the size of its cells."""
    moments, count, height, width = values.shape
    cells = colored(values).swapaxes(1, 2)
    return {
        "sprite": data_url(cells.reshape(moments * height, count * width, 3)),
        "count": count,
        "cell": [height, width],
    }

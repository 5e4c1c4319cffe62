"""A layer's output as pictures: clickable maps, or bars."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

_HERE = Path(__file__).parent
_SCALE = 2  # CSS pixels per value
_SMALLEST = 28  # least CSS pixels of a map's side, large enough for a finger
POSITIVE = (255, 166, 64)  # the color of the largest positive value; 0 is black
NEGATIVE = (84, 160, 255)  # the color of the largest negative value
_BARS_HEIGHT = 48

_maps = st.components.v2.component(
    "digitlab_maps",
    html='<div class="maps" role="application" tabindex="0"><canvas></canvas>'
    '<span class="selected" hidden></span><span class="mark" hidden></span>'
    '<span class="current" hidden></span><output></output></div>',
    css=(_HERE / "maps.css").read_text(),
    js=(_HERE / "maps.js").read_text(),
)


def colored(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return values of any shape as colors, `(…, 3)`, on one scale.

    If some are below 0, the scale is symmetric: black is 0, orange is above, blue is below. If not,
    it goes from black at 0 to white at the largest value.
    """
    largest = float(np.abs(values).max()) or 1.0
    share = (np.abs(values) / largest)[..., None]
    if values.min() >= 0:
        colors = share * np.array([255, 255, 255])
    else:
        ends = np.where(values[..., None] > 0, np.array(POSITIVE), np.array(NEGATIVE))
        colors = share * ends
    return np.asarray(colors.round(), np.uint8)


def maps(
    values: NDArray[np.float32],
    order: Sequence[int],
    name: str,
    key: str,
    *,
    on_value: Callable[[], None],
    selected: dict[str, int] | None = None,
    off: Collection[int] = (),
) -> dict[str, int] | None:
    """Show `(C, H, W)` maps in an order; return a click as `channel`, `row` and `column`.

    The click is returned only in the rerun that it causes, after `on_value` is called. `selected`
    is the value to mark, and `off` the channels to show as switched off.
    """
    _, height, width = values.shape
    scale = max(_SCALE, -(-_SMALLEST // max(height, width)))
    shown = values[list(order)]
    peaks = shown.reshape(len(order), -1).argmax(1)
    result: Any = _maps(
        key=key,
        data={
            "name": name,
            "sprite": data_url(colored(shown).reshape(-1, width, 3)),  # one map below the other
            "size": [height * scale, width * scale],
            "cells": [height, width],
            "channels": list(order),
            "peaks": [[int(peak) // width, int(peak) % width] for peak in peaks],
            "selected": selected,
            "off": list(off),
        },
        on_value_change=on_value,
    )
    value: dict[str, int] | None = result.value
    return value


def picture(values: NDArray[np.float32], caption: str, *, width: int) -> str:
    """Return the HTML of one `(H, W)` picture, `width` CSS pixels wide; the caption is escaped."""
    return (
        f'<img src="{data_url(colored(values))}" alt="{html.escape(caption)}" style="display: '
        f"block; width: {width}px; max-width: 100%; image-rendering: pixelated; "
        'border-radius: 3px">'
    )


def bars(values: NDArray[np.float32], name: str) -> None:
    """Show `(D,)` numbers as bars from left to right: up if positive, down if negative."""
    step = max(2, 640 // len(values))
    bar = max(1, step - (2 if step > 8 else 0))
    signed = values.min() < 0
    zero = _BARS_HEIGHT // 2 if signed else _BARS_HEIGHT - 1
    largest = float(np.abs(values).max()) or 1.0
    canvas = np.zeros((_BARS_HEIGHT, step * len(values), 3), np.uint8)
    for place, (value, color) in enumerate(zip(values, colored(values), strict=True)):
        end = zero - round(float(value) / largest * (zero - 1 if value > 0 else zero - 2))
        low, high = sorted((zero, end))
        canvas[low : high + 1, place * step : place * step + bar] = np.maximum(color, 60)
    st.html(
        f'<img src="{data_url(canvas)}" alt="{html.escape(name)} as bars" style="display: block; '
        f"width: 640px; max-width: 100%; height: {_BARS_HEIGHT}px; image-rendering: "
        'pixelated; border-radius: 3px">'
    )


def data_url(colors: NDArray[np.uint8]) -> str:
    """Return `(H, W, 3)` colors as the data URL of a PNG."""
    file = io.BytesIO()
    Image.fromarray(colors).save(file, "PNG", compress_level=1)  # the fastest, and no larger here
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

"""Digits as pictures: white on black, pixelated."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image


def sprite(images: np.ndarray, columns: int) -> str:
    """Return one picture of all digits, row by row, as the data URL of a PNG.

    `images` is `(N, H, W)`, uint8 or float32 in [0, 1]. Digit i is in row `i // columns`, column
    `i % columns`; the rest of the last row is black.
    """
    pixels = _as_uint8(images)
    height, width = pixels.shape[1:]
    rows = max(1, -(-len(pixels) // columns))
    grid = np.zeros((rows * columns, height, width), np.uint8)
    grid[: len(pixels)] = pixels
    picture = grid.reshape(rows, columns, height, width).swapaxes(1, 2)
    return _data_url(picture.reshape(rows * height, columns * width))


def tile(image: np.ndarray, *, width: int = 280, caption: str = "") -> None:
    """Show one digit enlarged, at most `width` CSS pixels wide.

    `image` is `(28, 28)`, uint8 or float32 in [0, 1]. `caption` is for screen readers
    and not shown. A multiple of 28 keeps the pixels square.
    """
    st.html(
        f'<img src="{_data_url(_as_uint8(image))}" alt="{html.escape(caption)}" '
        f'style="display: block; width: {width}px; max-width: 100%; image-rendering: pixelated; '
        'border-radius: 4px">'
    )


def strip(images: np.ndarray, captions: Sequence[str], *, columns: int, width: int = 112) -> None:
    """Show digits in rows with captions below; they cannot be selected.

    `images` is `(N, 28, 28)`, uint8 or float32 in [0, 1]. There are `columns` in a row, fewer on a
    screen where they would be tiny; a tile is at most `width` CSS pixels wide.
    """
    figures = "".join(
        f'<figure style="margin: 0"><img src="{_data_url(image)}" alt="{html.escape(caption)}" '
        'style="display: block; width: 100%; image-rendering: pixelated; border-radius: 3px">'
        f"{_below(caption)}</figure>"
        for image, caption in zip(_as_uint8(images), captions, strict=True)
    )
    st.html(
        f'<div style="display: grid; gap: 4px 8px; max-width: {columns * (width + 8)}px; '
        f"grid-template-columns: repeat(auto-fill, minmax(max(56px, 100% / {columns} - 8px), 1fr))"
        f'">{figures}</div>'
    )


def _below(caption: str) -> str:
    if not caption:
        return ""
    return (
        '<figcaption style="min-height: 1.4em; font-size: 0.75rem; text-align: center">'
        f"{html.escape(caption)}</figcaption>"
    )


def _as_uint8(images: np.ndarray) -> np.ndarray:
    if images.dtype == np.uint8:
        return images
    return (images.clip(0, 1) * 255).round().astype(np.uint8)


def _data_url(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

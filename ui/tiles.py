"""Digits as pictures: white on black, pixelated."""

from __future__ import annotations

import base64
import html
import io

import numpy as np
import streamlit as st
from PIL import Image


def sprite(images: np.ndarray, columns: int) -> str:
    """All digits in one picture, row by row, as the data-URL of a PNG.

    `images` is `(N, 28, 28)`, uint8 or float32 in [0, 1]. Digit i is in row `i // columns`, column
    `i % columns`; what is left of the last row is black.
    """
    pixels = _as_uint8(images)
    rows = max(1, -(-len(pixels) // columns))
    grid = np.zeros((rows * columns, 28, 28), np.uint8)
    grid[: len(pixels)] = pixels
    picture = grid.reshape(rows, columns, 28, 28).swapaxes(1, 2).reshape(rows * 28, columns * 28)
    return _data_url(picture)


def tile(image: np.ndarray, *, width: int = 280, caption: str = "") -> None:
    """Shows one digit large, at most `width` CSS pixels wide.

    `image` is `(28, 28)`, uint8 or float32 in [0, 1]. `caption` is read out in the picture's place
    and not shown. A multiple of 28 keeps the pixels square.
    """
    st.html(
        f'<img src="{_data_url(_as_uint8(image))}" alt="{html.escape(caption)}" '
        f'style="display: block; width: {width}px; max-width: 100%; image-rendering: pixelated; '
        'border-radius: 4px">'
    )


def _as_uint8(images: np.ndarray) -> np.ndarray:
    if images.dtype == np.uint8:
        return images
    return (images.clip(0, 1) * 255).round().astype(np.uint8)


def _data_url(picture: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

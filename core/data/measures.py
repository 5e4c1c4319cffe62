"""How each digit was written: how thick, how slanted, how large, and with how much ink."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CHUNK = 4_000  # images that are in memory as floats at a time: 13 MB
_INK = 128  # the value from which a pixel counts as ink


def measures(images: NDArray[np.uint8]) -> pd.DataFrame:
    """Return a row for each of `(N, 28, 28)` images: `thickness`, `slant`, `size`, `ink`.

    `thickness` is the mean width of the strokes in pixels, `slant` the lean to the right in
    degrees, `size` the box around the ink in pixels, width times height, and `ink` the share of the
    picture that is white, in [0, 1]. An empty picture has 0 everywhere.
    """
    parts = [_of(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    return pd.concat(parts or [_of(images)], ignore_index=True)


def _of(images: NDArray[np.uint8]) -> pd.DataFrame:
    pixels = np.divide(images, 255, dtype=np.float32)
    ink = pixels.sum(axis=(1, 2))
    return pd.DataFrame(
        {
            "thickness": 2 * ink / np.maximum(_outline(pixels), 1e-6),
            "slant": _slant(pixels),
            "size": _box(images),
            "ink": ink / pixels[0].size if len(pixels) else ink,
        }
    )


def _outline(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the length of the outlines in pixels, `(N,)`.

    It is the sum of the gradient's length (the coarea formula, Federer 1959), so a soft edge counts
    as much as a sharp one. A stroke of width w and length l has an area of w · l and an outline of
    about 2 l, so its width is twice the area divided by the outline.
    """
    padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(padded, axis=1)[:, :, :-1], np.diff(padded, axis=2)[:, :-1, :]
    return np.asarray(np.sqrt(down**2 + right**2).sum(axis=(1, 2)), np.float32)


def _slant(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the lean to the right in degrees, `(N,)`, from the ink's second moments."""
    rows, columns = np.mgrid[: pixels.shape[1], : pixels.shape[2]].astype(np.float32)
    mass = np.maximum(pixels.sum(axis=(1, 2)), 1e-6)[:, None, None]
    y = rows - ((pixels * rows).sum(axis=(1, 2), keepdims=True) / mass)
    x = columns - ((pixels * columns).sum(axis=(1, 2), keepdims=True) / mass)
    together, upright = (pixels * x * -y).sum(axis=(1, 2)), (pixels * y * y).sum(axis=(1, 2))
    return np.asarray(np.degrees(np.arctan2(together, np.maximum(upright, 1e-6))), np.float32)


def _box(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the area of the box around the ink in pixels, `(N,)`."""
    ink = images >= _INK
    width, height = (_span(np.asarray(ink.any(axis=axis))) for axis in (1, 2))
    return np.asarray(width * height, np.float32)


def _span(lines: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the distance from the first to the last True of each row, `(N,)`; 0 without any."""
    first, last = lines.argmax(axis=1), lines.shape[1] - lines[:, ::-1].argmax(axis=1)
    return np.asarray(np.where(lines.any(axis=1), last - first, 0), np.int64)

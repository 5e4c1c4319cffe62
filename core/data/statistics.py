"""Dataset statistics."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.digits import Digits

_CHUNK = 4_000  # images whose squares are in memory at a time: 25 MB


def facts(digits: Digits) -> pd.DataFrame:
    """Return a row for each split: images, height, width, classes, lowest, highest, mean, std.

    `lowest` and `highest` are pixel values in [0, 255]; `mean` and `std` are exact, over all pixels
    of the split, with black as 0 and white as 1.
    """
    rows = {}
    for name, images, labels in _splits(digits):
        total = square = 0
        for start in range(0, len(images), _CHUNK):
            part = images[start : start + _CHUNK].astype(np.uint32)
            total += int(part.sum(dtype=np.uint64))
            square += int((part * part).sum(dtype=np.uint64))
        mean = total / images.size
        rows[name] = {
            "images": len(images),
            "height": images.shape[1],
            "width": images.shape[2],
            "classes": len(np.unique(labels)),
            "lowest": int(images.min()),
            "highest": int(images.max()),
            "mean": mean / 255,
            "std": (square / images.size - mean**2) ** 0.5 / 255,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def class_counts(digits: Digits) -> pd.DataFrame:
    """Return the number of images of each digit: rows 0 to 9, columns `train` and `test`."""
    counts = {name: np.bincount(labels, minlength=10) for name, _, labels in _splits(digits)}
    return pd.DataFrame(counts, index=pd.RangeIndex(10, name="digit"))


def _splits(digits: Digits) -> list[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
    return [
        ("train", digits.train_images, digits.train_labels),
        ("test", digits.test_images, digits.test_labels),
    ]


def mean_images(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean of each digit's images, `(10, 28, 28) float32 in [0, 1]`."""
    means = [images[labels == digit].mean(0, dtype=np.float64) for digit in range(10)]
    return (np.stack(means) / 255).astype(np.float32)

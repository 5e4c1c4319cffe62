"""Select the images of a gallery, numbered through training and then test images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.data.digits import Digits


def numbers(digits: Digits, part: str, wanted: Sequence[int]) -> NDArray[np.int64]:
    """Return the ascending numbers of images of the wanted digits in `train`, `test` or `all`.

    Training images are numbered first, then test images. An empty `wanted` means all.
    """
    first_test, total = len(digits.train_labels), len(digits.train_labels) + len(digits.test_labels)
    ranges = {"train": (0, first_test), "test": (first_test, total), "all": (0, total)}
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    start, end = ranges[part]
    hits = np.isin(labels[start:end], wanted) if wanted else np.ones(end - start, bool)
    return start + np.flatnonzero(hits)


def take(digits: Digits, chosen: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return `(N, 28, 28)` images and `(N,)` labels of the images with these numbers."""
    images = np.empty((len(chosen), *digits.train_images.shape[1:]), np.uint8)
    labels = np.empty(len(chosen), np.uint8)
    test = chosen >= len(digits.train_labels)
    images[~test] = digits.train_images[chosen[~test]]
    labels[~test] = digits.train_labels[chosen[~test]]
    images[test] = digits.test_images[chosen[test] - len(digits.train_labels)]
    labels[test] = digits.test_labels[chosen[test] - len(digits.train_labels)]
    return images, labels


def place(digits: Digits, number: int) -> tuple[str, int]:
    """Return the split, `train` or `test`, of an image, and its index in that split."""
    first_test = len(digits.train_labels)
    return ("train", number) if number < first_test else ("test", number - first_test)

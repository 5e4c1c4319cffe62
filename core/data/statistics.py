"""Dataset statistics and maps."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.digits import Digits
from core.data.splits import stratified_split

MAP_SIZE = 2_000
_CHUNK = 4_000  # images whose squares are in memory at a time: 25 MB
_COMPONENTS = 50  # of the PCA before t-SNE, as van der Maaten & Hinton (2008) recommend


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


def map_sample(digits: Digits, size: int = MAP_SIZE, seed: int = 0) -> NDArray[np.int64]:
    """Return indices of a stratified sample of `size` training images, or of all if fewer."""
    labels = digits.train_labels
    return stratified_split(labels, min(size, len(labels)), seed)[1]


def pca_map(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """Return the images' first two principal components, `(N, 2)`, and their variance share."""
    return _principal(images, 2)


def tsne_map(images: NDArray[np.uint8], seed: int = 0) -> NDArray[np.float64]:
    """Return `(N, 2)` t-SNE coordinates of the images; takes 5 to 20 s for 2,000."""
    from sklearn.manifold import TSNE  # takes 2 s
    from threadpoolctl import threadpool_limits

    # On two busy cores, two threads are slower than one: they wait for each other. 500 steps reach
    # a divergence of 1.28; the default, 1,000, reaches 1.22 in twice the time (2,000 images).
    with threadpool_limits(1):
        reducer = TSNE(init="pca", max_iter=500, angle=0.7, random_state=seed)
        return np.asarray(reducer.fit_transform(_principal(images, _COMPONENTS)[0]), np.float64)


def _principal(images: NDArray[np.uint8], count: int) -> tuple[NDArray[np.float64], float]:
    """Return the images' first principal components, `(N, count)`, and their share of variance."""
    pixels = images.reshape(len(images), -1) / 255
    pixels -= pixels.mean(0)
    variances, directions = np.linalg.eigh(pixels.T @ pixels)  # in ascending order
    directions = directions[:, ::-1][:, :count]
    # The solver's sign is arbitrary: make the pixel with the largest weight positive.
    heaviest = np.abs(directions).argmax(0)
    directions = directions * np.sign(directions[heaviest, np.arange(count)])
    return pixels @ directions, float(variances[::-1][:count].sum() / variances.sum())

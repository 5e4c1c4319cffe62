"""Split the training images into those to learn from and those for validation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.digits import TRAINING_IMAGES, Digits


def stratified_split(
    labels: NDArray[np.uint8], size: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two sorted index arrays: the rest, and a stratified sample of `size` indices.

    The number of each digit is rounded by largest remainder, so that the sum is exactly `size`.
    """
    shares = np.bincount(labels, minlength=10) * size / max(len(labels), 1)
    take = np.floor(shares).astype(int)
    take[np.argsort(take - shares, kind="stable")[: size - take.sum()]] += 1
    rng = np.random.default_rng(seed)
    places = [rng.permutation(np.flatnonzero(labels == digit)) for digit in range(10)]
    held = np.concatenate([place[:count] for place, count in zip(places, take, strict=True)])
    return np.setdiff1d(np.arange(len(labels)), held), np.sort(held)


@dataclass(frozen=True)
class Split:
    """Indices into `Digits.train_images`: images to learn from, and images for validation."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]

    def without(self, left_out: NDArray[np.int64]) -> "Split":
        """Return the split with these indices left out of the images to learn from."""
        return Split(np.setdiff1d(self.train, left_out), self.validation)


def split_sizes(total: int, validation_size: int, train_size: int) -> tuple[int, int]:
    """Return the number of images to learn from, and the number for validation.

    Validation gets at most a quarter, so that the sample works too; `train_size` 0 means all.
    """
    validation = min(validation_size, total // 4)
    return min(train_size or total, total - validation), validation


def sizes_of(source: str, validation_size: int, train_size: int) -> tuple[int, int] | None:
    """Return the `split_sizes` of a data set by its source; None if that is not one of SOURCES."""
    total = TRAINING_IMAGES.get(source)
    return None if total is None else split_sizes(total, validation_size, train_size)


def split_for(
    digits: Digits,
    validation_size: int,
    train_size: int,
    seed: int,
    ranks: NDArray[np.float64] | None = None,
) -> Split:
    """Return a run's stratified split, in the sizes of `split_sizes`.

    If not all images are to be learned from, they are drawn at random; or, with `ranks (N,)` of the
    training images, those with the lowest ranks of each digit. Images with rank NaN come last.
    """
    labels = digits.train_labels
    kept, held_out = split_sizes(len(labels), validation_size, train_size)
    train, validation = stratified_split(labels, held_out, seed)
    if kept < len(train):
        drawn = stratified_split(labels[train], kept, seed)[1]
        if ranks is not None:
            drawn = _lowest(ranks[train], labels[train], labels[train][drawn], seed)
        train = train[drawn]
    return Split(train, validation)


def _lowest(
    ranks: NDArray[np.float64], labels: NDArray[np.uint8], drawn: NDArray[np.uint8], seed: int
) -> NDArray[np.int64]:
    """Return the sorted indices of the lowest ranks, as many of each digit as are in `drawn`."""
    order = np.lexsort((np.random.default_rng(seed).permutation(len(ranks)), ranks))
    wanted = np.bincount(drawn, minlength=10)
    return np.sort(
        np.concatenate([order[labels[order] == digit][: wanted[digit]] for digit in range(10)])
    )

"""Which training images a run learns from, and which choose its best epoch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.digits import Digits


def stratified_split(
    labels: NDArray[np.uint8], size: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two sorted index arrays: the rest, and `size` in which each digit keeps its share.

    Shares are rounded by largest remainder, so the second has exactly `size` indices.
    """
    counts = np.bincount(labels, minlength=10)
    shares = counts * size / max(len(labels), 1)
    take = np.floor(shares).astype(int)
    take[np.argsort(take - shares, kind="stable")[: size - take.sum()]] += 1
    rng = np.random.default_rng(seed)
    held = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == digit))[: take[digit]] for digit in range(10)]
    )
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[held] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


@dataclass(frozen=True)
class Split:
    """Indices into `Digits.train_images`: what a run learns from and what chooses its epoch."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_sizes(total: int, validation_size: int, train_size: int) -> tuple[int, int]:
    """Return how many of the training images a run learns from, and how many choose its epoch.

    Validation is at most a quarter of them, so that the sample works too; `train_size` 0 is all.
    """
    validation = min(validation_size, total // 4)
    return min(train_size or total, total - validation), validation


def split_for(digits: Digits, validation_size: int, train_size: int, seed: int) -> Split:
    """Return a run's split, in the sizes of `split_sizes`, each digit keeping its share."""
    labels = digits.train_labels
    kept, held_out = split_sizes(len(labels), validation_size, train_size)
    train, validation = stratified_split(labels, held_out, seed)
    if kept < len(train):
        train = train[stratified_split(labels[train], kept, seed)[1]]
    return Split(train, validation)

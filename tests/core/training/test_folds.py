"""Out-of-fold probabilities: folds that are fair, and networks that never saw what they read."""

import numpy as np
from numpy.typing import NDArray

from core import recipes
from core.data import mnist
from core.data.selection import take
from core.training.folds import FOLDS, fold_numbers, out_of_fold


def test_folds_are_even_for_each_digit_and_differ_by_seed() -> None:
    """No fold has more than one image of a digit more than another; a seed cuts the same folds."""
    labels = np.random.default_rng(0).integers(0, 10, 1_003).astype(np.uint8)
    numbers = fold_numbers(labels, seed=1)
    counts = np.array([np.bincount(numbers[labels == digit]) for digit in range(10)])
    assert counts.shape == (10, FOLDS) and (np.ptp(counts, axis=1) <= 1).all()
    assert (fold_numbers(labels, seed=1) == numbers).all()
    assert (fold_numbers(labels, seed=2) != numbers).any()


def judged(
    images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> tuple[list[float], NDArray[np.float32]]:
    """Return the reported shares and the probabilities, with a small network."""
    config = recipes.RECIPES["fast_990"].config.changed(
        {"validation_size": 10, "precision": "float32", "device": "cpu", "batch_size": 64}
    )
    folds = out_of_fold(images, labels, config)
    shares: list[float] = []
    while True:
        try:
            shares.append(next(folds))
        except StopIteration as end:
            return shares, end.value


def test_label_of_an_image_has_no_say_in_its_own_answer() -> None:
    """Labels of one fold that are swapped change what is read of the other folds alone."""
    images, labels = take(mnist.load("sample"), np.arange(300))
    two = [5, 168]  # a 6 and an 8 of one fold; with their labels swapped, the folds are the same
    swapped = labels.copy()
    swapped[two] = labels[two[::-1]]
    numbers = fold_numbers(labels, 0)
    assert (fold_numbers(swapped, 0) == numbers).all() and numbers[two[0]] == numbers[two[1]]
    held = numbers == numbers[two[0]]
    (shares, before), (_, after) = judged(images, labels), judged(images, swapped)
    assert (before[held] == after[held]).all() and (before[~held] != after[~held]).any()
    assert np.allclose(before.sum(axis=1), 1, atol=1e-5)
    assert shares == sorted(shares) and shares[-1] == 1

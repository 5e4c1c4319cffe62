"""A run's training and validation images: sizes, shares and seeds."""

import numpy as np
import pytest

from core.data import mnist
from core.data.splits import split_for, stratified_split


@pytest.mark.parametrize("size", [10, 137, 500, 999])
def test_split_has_exact_size_and_keeps_shares(size: int) -> None:
    """Uneven digits keep their share to within one image, and nothing is lost or doubled."""
    labels = np.repeat(np.arange(10), [300, 10, 95, 101, 99, 3, 100, 142, 50, 100]).astype(np.uint8)
    labels = np.random.default_rng(1).permutation(labels)
    rest, held = stratified_split(labels, size, seed=0)
    assert len(held) == size
    assert np.array_equal(np.sort(np.concatenate([rest, held])), np.arange(len(labels)))
    expected = np.bincount(labels) * size / len(labels)
    assert np.abs(np.bincount(labels[held], minlength=10) - expected).max() < 1


def test_same_seed_same_split() -> None:
    """A seed decides the split; another gives another."""
    labels = mnist.load("sample").train_labels
    first, again, other = (stratified_split(labels, 500, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_runs_split_follows_its_sizes() -> None:
    """Validation is at most a quarter, train_size limits the rest, and the two never overlap."""
    digits = mnist.load("sample")
    whole = split_for(digits, validation_size=5_000, train_size=0, seed=0)
    assert (len(whole.train), len(whole.validation)) == (3_000, 1_000)
    assert not set(whole.train) & set(whole.validation)
    small = split_for(digits, validation_size=200, train_size=600, seed=0)
    assert (len(small.train), len(small.validation)) == (600, 200)
    assert not set(small.train) & set(small.validation)
    assert np.bincount(digits.train_labels[small.train]).tolist() == [60] * 10


def test_lowest_ranks_are_taken_of_each_digit() -> None:
    """The lowest ranks are chosen, as many of each digit as a random choice would have."""
    digits = mnist.load("sample")
    ranks = np.random.default_rng(0).permutation(4_000).astype(float)
    whole = split_for(digits, validation_size=200, train_size=0, seed=0)
    ranks[whole.train[:5]] = np.nan
    some = split_for(digits, validation_size=200, train_size=600, seed=0, ranks=ranks)
    assert (some.validation == whole.validation).all()
    for digit in range(10):
        own = whole.train[digits.train_labels[whole.train] == digit]
        taken = some.train[digits.train_labels[some.train] == digit]
        assert sorted(ranks[taken]) == np.sort(ranks[own])[:60].tolist()
    equal = [split_for(digits, 200, 600, seed, ranks=np.zeros(4_000)).train for seed in (0, 0, 1)]
    assert (equal[0] == equal[1]).all() and (equal[0] != equal[2]).any()

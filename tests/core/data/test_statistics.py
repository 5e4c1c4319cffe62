"""Facts, means, maps and augmentations, against the plain way of computing them."""

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist, selection, statistics
from core.data.digits import Digits
from core.training import augmentation


@pytest.fixture(scope="module")
def digits() -> Digits:
    """The sample."""
    return mnist.load("sample")


def test_facts_are_numpys(digits: Digits) -> None:
    """Mean and deviation, summed in chunks, are those of all pixels at once."""
    facts = statistics.facts(digits)
    for split, images in (("train", digits.train_images), ("test", digits.test_images)):
        row = facts.loc[split]
        assert (row["images"], row["height"], row["width"]) == (len(images), 28, 28)
        assert (row["classes"], row["lowest"], row["highest"]) == (10, 0, 255)
        assert row["mean"] == pytest.approx((images / 255).mean(), abs=1e-9)
        assert row["std"] == pytest.approx((images / 255).std(), abs=1e-9)


def test_facts_come_from_the_data() -> None:
    """Other data give other facts: nothing is hard-coded."""
    images = np.full((3, 28, 28), 51, np.uint8)
    labels = np.array([1, 1, 7], np.uint8)
    facts = statistics.facts(Digits("tiny", images, labels, images[:1], labels[:1]))
    assert facts["images"].tolist() == [3, 1]
    assert facts["classes"].tolist() == [2, 1]
    assert facts["lowest"].tolist() == facts["highest"].tolist() == [51, 51]
    assert facts["mean"].tolist() == pytest.approx([0.2, 0.2])
    assert facts["std"].tolist() == pytest.approx([0, 0])


def test_class_counts(digits: Digits) -> None:
    """Each split's counts, a row for every digit."""
    counts = statistics.class_counts(digits)
    assert counts["train"].tolist() == [400] * 10
    assert counts["test"].tolist() == [100] * 10
    assert counts.index.tolist() == list(range(10))


def test_paging_reaches_every_image_once(digits: Digits) -> None:
    """Numbers run through both splits, and lead back to image, label, split and index."""
    everything = selection.numbers(digits, "all", [])
    assert everything.tolist() == list(range(5_000))
    images, labels = selection.take(digits, everything)
    assert np.array_equal(images, np.concatenate([digits.train_images, digits.test_images]))
    assert np.array_equal(labels, np.concatenate([digits.train_labels, digits.test_labels]))
    assert selection.place(digits, 3_999) == ("train", 3_999)
    assert selection.place(digits, 4_000) == ("test", 0)


def test_filters_keep_split_and_digits(digits: Digits) -> None:
    """Only the wanted digits of the wanted split, in order; an empty filter means all."""
    threes_and_eights = selection.numbers(digits, "test", [3, 8])
    _, labels = selection.take(digits, threes_and_eights)
    assert np.bincount(labels).tolist() == [0, 0, 0, 100, 0, 0, 0, 0, 100]
    assert threes_and_eights.min() >= 4_000
    assert (np.diff(threes_and_eights) > 0).all()
    assert len(selection.numbers(digits, "train", [])) == 4_000


def test_take_keeps_the_order_asked_for(digits: Digits) -> None:
    """Images come in the order of their numbers, across the splits."""
    images, labels = selection.take(digits, np.array([4_001, 0, 4_000]))
    assert np.array_equal(images[1], digits.train_images[0])
    assert labels.tolist() == [digits.test_labels[1], digits.train_labels[0], digits.test_labels[0]]


def test_mean_images(digits: Digits) -> None:
    """Each digit's mean is that of its own images, white as 1."""
    means = statistics.mean_images(digits.train_images, digits.train_labels)
    assert means.shape == (10, 28, 28)
    sevens = digits.train_images[digits.train_labels == 7] / 255
    np.testing.assert_allclose(means[7], sevens.mean(0), atol=1e-6)


def test_augmented_without_augmentation_is_the_image(digits: Digits) -> None:
    """With every limit at 0 each draw is the image itself, in [0, 1]."""
    image = digits.train_images[0]
    draws = augmentation.augmented(image, TrainConfig(), 3, seed=0)
    np.testing.assert_allclose(draws, np.repeat(image[None] / 255, 3, axis=0), atol=1e-6)


def test_augmented_draws_differ_and_repeat(digits: Digits) -> None:
    """Draws differ from one another and between seeds, and one seed repeats them."""
    image = digits.train_images[0]
    config = TrainConfig(rotation=12, shift=2, scale=0.1, shear=5)
    draws = augmentation.augmented(image, config, 11, seed=0)
    assert draws.shape == (11, 28, 28)
    assert draws.min() >= 0
    assert draws.max() <= 1 + 1e-6
    assert len({draw.tobytes() for draw in draws}) == 11
    assert np.array_equal(draws, augmentation.augmented(image, config, 11, seed=0))
    assert not np.array_equal(draws, augmentation.augmented(image, config, 11, seed=1))


def test_augmented_ignores_what_only_training_needs(digits: Digits) -> None:
    """Batch size and normalization of the config do not change what is shown."""
    image = digits.train_images[0]
    first = augmentation.augmented(image, TrainConfig(rotation=9), 4, seed=0)
    other = TrainConfig(rotation=9, batch_size=2, mean=0.5, std=2)
    np.testing.assert_array_equal(first, augmentation.augmented(image, other, 4, seed=0))


def test_one_draw_can_be_asked_for(digits: Digits) -> None:
    """A single draw works, though training has no batches of one."""
    assert augmentation.augmented(digits.train_images[0], TrainConfig(), 1, seed=0).shape == (
        1,
        28,
        28,
    )

"""Batches: every image once an epoch, normalized."""

import numpy as np
import pytest
import torch

from core.config import TrainConfig
from core.training.batches import TrainingBatches, normalize


def images(count: int, seed: int = 0) -> np.ndarray:
    """Noise, so that no two images and no two pixels are alike."""
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def batches(count: int, seed: int = 0, **settings: object) -> TrainingBatches:
    """Batches whose labels number the images, with black 0 and white 1."""
    config = TrainConfig(**{"mean": 0, "std": 1, **settings})
    generator = torch.Generator().manual_seed(seed)
    labels = np.arange(count, dtype=np.uint8)
    return TrainingBatches(images(count), labels, config, torch.device("cpu"), generator)


def test_no_augmentation_leaves_images_untouched() -> None:
    """Without augmentation a batch holds the images themselves."""
    for batch, labels in batches(20, batch_size=6):
        expected = torch.tensor(images(20)[labels.numpy()]) / 255
        torch.testing.assert_close(batch[:, 0], expected, atol=1e-6, rtol=0)


def test_same_seed_same_batches() -> None:
    """The generator alone decides order and augmentation; another epoch differs."""
    settings = {"batch_size": 7, "rotation": 10, "shift": 2, "scale": 0.1, "shear": 5}
    settings |= {"aspect": 0.1, "elastic": 1, "thickness": 0.5}
    first, second = batches(20, 3, **settings), batches(20, 3, **settings)
    for _ in range(2):
        for (a, a_labels), (b, b_labels) in zip(first, second, strict=True):
            assert torch.equal(a, b)
            assert torch.equal(a_labels, b_labels)
    (third, _), (other, _) = next(iter(first)), next(iter(batches(20, 4, **settings)))
    assert not torch.equal(third, next(iter(batches(20, 3, **settings)))[0])
    assert not torch.equal(third, other)


@pytest.mark.parametrize("count", [20, 24])
def test_every_image_exactly_once_an_epoch(count: int) -> None:
    """An epoch is a permutation of the images, in a fresh order each time, last batch included."""
    source = batches(count, batch_size=8)
    epochs = [torch.cat([labels for _, labels in source]).tolist() for _ in range(2)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(count))
    assert epochs[0] != epochs[1]
    assert len(list(source)) == len(source) == 3


def test_a_last_batch_of_one_is_left_out() -> None:
    """BatchNorm cannot learn from one image, so 17 images in eights make two batches."""
    source = batches(17, batch_size=8)
    assert [len(labels) for _, labels in source] == [8, 8]
    assert len(source) == 2


def test_normalize_takes_bytes_and_floats_alike() -> None:
    """Mean is taken off and deviation divided out, whatever the images' type."""
    config = TrainConfig(mean=0.2, std=0.5)
    whole = torch.tensor(images(3))
    expected = ((whole / 255 - 0.2) / 0.5)[:, None]
    torch.testing.assert_close(normalize(whole, config), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(normalize(whole / 255, config), expected, atol=1e-5, rtol=0)

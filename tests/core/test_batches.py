"""Batches: every image once an epoch, and augmentation as torchvision does it."""

import numpy as np
import pytest
import torch

from core.batches import TrainingBatches, affine, normalise
from core.config import TrainConfig


def images(count: int, seed: int = 0) -> np.ndarray:
    """Noise, so that no two images and no two pixels are alike."""
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), np.uint8)


def batches(count: int, seed: int = 0, **settings: object) -> TrainingBatches:
    """Batches whose labels number the images, with black 0 and white 1."""
    config = TrainConfig(**{"mean": 0, "std": 1, **settings})
    generator = torch.Generator().manual_seed(seed)
    labels = np.arange(count, dtype=np.uint8)
    return TrainingBatches(images(count), labels, config, torch.device("cpu"), generator)


@pytest.mark.parametrize(
    ("angle", "shear", "scale"),
    [(17.0, 0.0, 1.0), (0.0, 12.0, 1.0), (0.0, 0.0, 0.8), (-30.0, 20.0, 1.3)],
)
def test_affine_is_torchvisions(angle: float, shear: float, scale: float) -> None:
    """One image of a batch is bent as torchvision bends it alone, with the same parameters."""
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    batch = torch.rand(3, 28, 28, generator=torch.Generator().manual_seed(0))
    others = torch.tensor([5.0, 0.0]), torch.tensor([0.0, 9.0]), torch.tensor([1.1, 1.0])
    parameters = [
        torch.cat([other[:1], torch.tensor([value]), other[1:]])
        for value, other in zip((angle, shear, scale), others, strict=True)
    ]
    ours = affine(batch, *parameters)[1]
    theirs = functional.affine(
        batch[1][None],
        angle=angle,
        translate=[0, 0],
        scale=scale,
        shear=[shear, 0.0],
        interpolation=functional.InterpolationMode.BILINEAR,
    )[0]
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_affine_brings_bytes_to_the_unit_range() -> None:
    """A bent uint8 image is the bent float image, in [0, 1], as `normalise` takes it."""
    whole = torch.tensor(images(2))
    angle, none, same = torch.tensor([20.0, 0.0]), torch.zeros(2), torch.ones(2)
    from_bytes = affine(whole, angle, none, same)
    from_floats = affine(whole / 255, angle, none, same)
    torch.testing.assert_close(from_bytes, from_floats, atol=1e-5, rtol=0)
    assert 0.9 < from_bytes.max() <= 1 + 1e-6


def test_affine_without_effect_returns_what_it_got() -> None:
    """Where nothing turns, slants or grows, the very same tensor comes back."""
    whole = torch.tensor(images(2))
    assert affine(whole, torch.zeros(2), torch.zeros(2), torch.ones(2)) is whole


def test_augmented_batches_keep_their_range() -> None:
    """Rotation, scale and shear do not make the input of the network brighter or darker."""
    plain, _ = next(iter(batches(64, batch_size=64)))
    bent, _ = next(iter(batches(64, batch_size=64, rotation=10, scale=0.1, shear=5)))
    assert bent.min() >= 0
    assert bent.max() <= 1 + 1e-6
    assert abs(float(bent.mean() / plain.mean()) - 1) < 0.1


def test_shift_moves_pixels_exactly() -> None:
    """A shifted image is the image within its black frame, moved by whole pixels."""
    limit, originals, moved = 2, images(40), 0
    for batch, labels in batches(40, batch_size=8, shift=limit):
        for image, label in zip((batch[:, 0] * 255).round().byte().numpy(), labels, strict=True):
            framed = np.pad(originals[int(label)], limit)
            windows = [
                (down, across)
                for down in range(2 * limit + 1)
                for across in range(2 * limit + 1)
                if np.array_equal(framed[down : down + 28, across : across + 28], image)
            ]
            assert len(windows) == 1
            moved += windows[0] != (limit, limit)
    assert moved > 30


def test_no_augmentation_leaves_images_untouched() -> None:
    """Without augmentation a batch holds the images themselves."""
    for batch, labels in batches(20, batch_size=6):
        expected = torch.tensor(images(20)[labels.numpy()]) / 255
        torch.testing.assert_close(batch[:, 0], expected, atol=1e-6, rtol=0)


def test_same_seed_same_batches() -> None:
    """The generator alone decides order and augmentation; another epoch differs."""
    settings = {"batch_size": 7, "rotation": 10, "shift": 2, "scale": 0.1, "shear": 5}
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


def test_normalise_takes_bytes_and_floats_alike() -> None:
    """Mean is taken off and deviation divided out, whatever the images' type."""
    config = TrainConfig(mean=0.2, std=0.5)
    whole = torch.tensor(images(3))
    expected = ((whole / 255 - 0.2) / 0.5)[:, None]
    torch.testing.assert_close(normalise(whole, config), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(normalise(whole / 255, config), expected, atol=1e-5, rtol=0)

"""Augmentation as torchvision does it, by the pixels and degrees that are asked for."""

import numpy as np
import pytest
import torch

from core.training.augmentation import affine_points, bent, elastic_moves, thickened
from tests.core.training.test_batches import batches, images


@pytest.mark.slow  # torchvision takes 2 s to import
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
    ours = bent(batch, affine_points(*parameters, torch.ones(3)))[1]
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
    """A bent uint8 image is the bent float image, in [0, 1], as `normalize` takes it."""
    whole = torch.tensor(images(2))
    angle, none, same = torch.tensor([20.0, 0.0]), torch.zeros(2), torch.ones(2)
    points = affine_points(angle, none, same, same)
    from_bytes, from_floats = bent(whole, points), bent(whole / 255, points)
    torch.testing.assert_close(from_bytes, from_floats, atol=1e-5, rtol=0)
    assert 0.9 < from_bytes.max() <= 1 + 1e-6


def test_aspect_widens_and_keeps_the_height() -> None:
    """A square 8 pixels wide becomes 16 wide and stays 8 high at an aspect of 2."""
    square = torch.zeros(1, 28, 28)
    square[0, 10:18, 10:18] = 1
    one, none = torch.ones(1), torch.zeros(1)
    wide = bent(square, affine_points(none, none, one, 2 * one))[0]
    assert float(wide.sum(1).max()) == pytest.approx(16, abs=0.1)
    assert float(wide.sum(0).max()) == pytest.approx(8, abs=0.1)


def test_elastic_moves_by_the_pixels_it_says() -> None:
    """The same move at every knot moves the whole image by so many pixels, and bends nothing."""
    batch = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0))
    one, none = torch.ones(1), torch.zeros(1)
    knots = torch.tensor([2.0, -3.0]).view(1, 2, 1, 1).expand(1, 2, 6, 6)  # right, up
    points = affine_points(none, none, one, one) + elastic_moves(knots)
    moved = bent(batch, points)[0]
    torch.testing.assert_close(moved[3:, :26], batch[0, :25, 2:], atol=1e-4, rtol=0)


def test_elastic_distortion_is_smooth() -> None:
    """Neighboring points move nearly alike, where their knots move by a pixel at most."""
    knots = torch.randn(20, 2, 6, 6, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)
    moves = elastic_moves(knots) * 14  # pixels
    for axis in (1, 2):
        assert float(moves.diff(dim=axis).abs().max()) < 0.75


def test_thickness_adds_and_takes_a_pixel_on_either_side() -> None:
    """A bar 4 pixels wide becomes 6 at a thickness of 1, 2 at -1, and stays at 0."""
    bar = torch.zeros(3, 28, 28, dtype=torch.uint8)
    bar[:, 4:24, 12:16] = 255
    wider, narrower, same = thickened(bar, torch.tensor([1.0, -1.0, 0.0]))[:, 14]
    assert (wider.sum(), narrower.sum(), same.sum()) == (6, 2, 4)
    half = thickened(bar, torch.full((3,), 0.5))[0, 14]
    assert float(half.sum()) == pytest.approx(5)


def test_augmented_batches_keep_their_range() -> None:
    """Rotation, scale and shear do not make the input of the network brighter or darker."""
    plain, _ = next(iter(batches(64, batch_size=64)))
    changed, _ = next(iter(batches(64, batch_size=64, rotation=10, scale=0.1, shear=5, elastic=1)))
    assert changed.min() >= 0
    assert changed.max() <= 1 + 1e-6
    assert abs(float(changed.mean() / plain.mean()) - 1) < 0.1


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

"""Augmentation: random changes of a whole batch at once, with separate parameters per image."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.config import TrainConfig

BENDING = ("rotation", "shear", "scale", "aspect", "elastic")  # the settings of `bent`
_KNOTS = 6  # of an elastic distortion along each side: one every 5 pixels


class Augmentation:
    """A configuration's augmentation; all its random numbers are from `generator`, on the CPU."""

    def __init__(self, config: TrainConfig, generator: torch.Generator) -> None:
        self.config, self.generator = config, generator

    def windows(self, images: Tensor) -> Tensor:
        """Return every position of `(N, 28, 28)` images shifted by up to `config.shift` pixels.

        The result, `(N, 2s + 1, 2s + 1, 28, 28)`, is a view that takes no memory: choosing a window
        for each image shifts it, in the same selection that gathers a batch.
        """
        return F.pad(images, [self.config.shift] * 4).unfold(1, 28, 1).unfold(2, 28, 1)

    def shifts(self, count: int) -> Tensor:
        """Draw a random window, `(2, count)` down and across, for each of `count` images."""
        return torch.randint(0, 2 * self.config.shift + 1, (2, count), generator=self.generator)

    def __call__(self, images: Tensor) -> Tensor:
        """Bend `(N, 28, 28)` images and change their thickness, as `bent` and `thickened` do.

        The images must not be normalized yet: 0 must be black, so that new pixels at the border are
        background. If there is nothing to change, they are returned unchanged.
        """
        if any(getattr(self.config, name) for name in BENDING):
            images = bent(images, self._distortion(len(images)))
        if self.config.thickness:
            images = thickened(images, self._uniform(len(images), self.config.thickness))
        return images

    def _distortion(self, count: int) -> Tensor:
        """Draw `(count, 28, 28, 2)` sampling points for one batch."""
        config = self.config
        angle, shear = self._uniform(count, config.rotation), self._uniform(count, config.shear)
        scale, aspect = self._uniform(count, config.scale), self._uniform(count, config.aspect)
        points = affine_points(angle, shear, 1 + scale, 1 + aspect)
        if config.elastic:
            knots = torch.randn(count, 2, _KNOTS, _KNOTS, generator=self.generator)
            points += elastic_moves(config.elastic * knots)
        return points

    def _uniform(self, count: int, limit: float) -> Tensor:
        """Draw `(count,)` numbers between -limit and limit."""
        if limit == 0:
            return torch.zeros(count)
        return limit * (2 * torch.rand(count, generator=self.generator) - 1)


def augmented(
    image: NDArray[np.uint8], config: TrainConfig, count: int, seed: int
) -> NDArray[np.float32]:
    """Return `count` random versions of one `(28, 28)` image, as in training with `config`.

    Returns `(count, 28, 28) float32 in [0, 1]`.
    """
    augmentation = Augmentation(config, torch.Generator().manual_seed(seed))
    down, across = augmentation.shifts(count)
    windows = augmentation.windows(torch.tensor(image[None]))
    images = augmentation(windows[torch.zeros(count, dtype=torch.int64), down, across])
    if images.dtype == torch.uint8:
        images = images.float().mul_(1 / 255)
    return np.asarray(images.numpy(), np.float32)


def affine_points(angle: Tensor, shear: Tensor, scale: Tensor, aspect: Tensor) -> Tensor:
    """Return the sampling points of images that are turned, slanted and scaled.

    Args:
        angle: `(N,)`, degrees, positive is clockwise on the screen, as in torchvision's `affine`.
        shear: `(N,)`, degrees, with the sign of torchvision's first shear.
        scale: `(N,)`, 1 keeps the size, 2 doubles it.
        aspect: `(N,)`, the factor for the width only, applied before everything else.

    Returns:
        `(N, 28, 28, 2)` points for `bent`, x and y in [-1, 1] across the image.

    """
    turn, slant = angle * (math.pi / 180), shear * (math.pi / 180)
    cos, sin, tan = turn.cos(), turn.sin(), slant.tan()
    nothing = torch.zeros_like(cos)
    # Output pixel → input pixel: the inverse of scale · rotation · shear · aspect.
    across = torch.stack([cos - tan * sin, sin + tan * cos, nothing], -1) / aspect[:, None]
    down = torch.stack([-sin, cos, nothing], -1)
    theta = torch.stack([across, down], 1) / scale[:, None, None]
    return F.affine_grid(theta, [len(theta), 1, 28, 28], align_corners=False)


def elastic_moves(knots: Tensor) -> Tensor:
    """Interpolate `(N, 2, k, k)` displacements in pixels, at k × k knots, to every pixel.

    The result is `(N, 28, 28, 2)`, x and y, in the units of `affine_points`. These are the elastic
    distortions of Simard, Steinkraus and Platt (2003), with cubic interpolation instead of their
    Gaussian.
    """
    field = F.interpolate(knots, (28, 28), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1) * (2 / 28)


def bent(images: Tensor, points: Tensor) -> Tensor:
    """Sample `(N, 28, 28)` images, uint8 or float, at `(N, 28, 28, 2)` points, bilinearly.

    Returns float32 for `normalize`; uint8 images are scaled to [0, 1].
    """
    moved = F.grid_sample(images[:, None].float(), points.to(images.device), align_corners=False)
    return (moved.mul_(1 / 255) if images.dtype == torch.uint8 else moved)[:, 0]


def thickened(images: Tensor, pixels: Tensor) -> Tensor:
    """Return `(N, 28, 28)` images with strokes thicker, or thinner, by `(N,)` pixels in [-1, 1].

    Each pixel changes by that share towards the lightest, or the darkest, of the nine around it.
    Returns float32; uint8 images are scaled to [0, 1].
    """
    ink = images[:, None].float()
    ink = ink.mul_(1 / 255) if images.dtype == torch.uint8 else ink
    share = pixels.to(images.device)[:, None, None, None]
    lightest, darkest = F.max_pool2d(ink, 3, 1, 1), -F.max_pool2d(-ink, 3, 1, 1)
    return torch.lerp(ink, torch.where(share > 0, lightest, darkest), share.abs())[:, 0]

"""Digits in memory → shuffled, augmented, normalised batches on the device.

The images stay one uint8 tensor; a batch is one index selection, and augmentation works on the
whole batch with parameters for each image. There is no Python work per image.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.config import TrainConfig


def normalise(images: Tensor, config: TrainConfig) -> Tensor:
    """Turn `(N, 28, 28) uint8`, or float in [0, 1], into `(N, 1, 28, 28) float32` network input."""
    unit = 255.0 if images.dtype == torch.uint8 else 1.0
    return (images.unsqueeze(1) * (1 / (unit * config.std))).sub_(config.mean / config.std)


_KNOTS = 6  # along each side, of an elastic distortion: one each 5 pixels


class TrainingBatches:
    """The training images on the device; each iteration is one epoch in a fresh order.

    Args:
        images: `(N, 28, 28) uint8`.
        labels: `(N,) uint8`.
        config: batch size, normalisation and augmentation.
        device: where the batches are made.
        generator: a CPU generator, the only source of the order and the augmentation.

    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.uint8],
        config: TrainConfig,
        device: torch.device,
        generator: torch.Generator,
    ) -> None:
        self.config, self.device, self.generator = config, device, generator
        self.labels = torch.tensor(labels, dtype=torch.int64, device=device)
        padded = F.pad(torch.tensor(images), [config.shift] * 4)
        # A view of every 28×28 window, (N, 2s + 1, 2s + 1, 28, 28), that takes no memory: choosing
        # a window for each image shifts it, in the same selection that gathers the batch.
        self.windows = padded.to(device).unfold(1, 28, 1).unfold(2, 28, 1)

    def __len__(self) -> int:
        """Return the steps in an epoch, without a last batch of one, which BatchNorm refuses."""
        count, size = len(self.labels), self.config.batch_size
        return count // size + (count % size > 1)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `(B, 1, 28, 28) float32` network input and `(B,) int64` labels."""
        order = torch.randperm(len(self.labels), generator=self.generator)
        for indices in torch.split(order, self.config.batch_size)[: len(self)]:
            shift = torch.randint(
                0, 2 * self.config.shift + 1, (2, len(indices)), generator=self.generator
            )
            chosen, (down, across) = indices.to(self.device), shift.to(self.device)
            images = self.windows[chosen, down, across]
            # The picture is bent while 0 is still black, so what comes in at the border is paper.
            images = bent(images, self._distortion(len(indices)))
            if self.config.thickness:
                images = thickened(images, self._uniform(len(indices), self.config.thickness))
            yield normalise(images, self.config), self.labels[chosen]

    def _distortion(self, count: int) -> Tensor | None:
        """Draw `(count, 28, 28, 2)` sampling points for one batch; None if nothing is to change."""
        config = self.config
        if not (config.rotation or config.shear or config.scale or config.aspect or config.elastic):
            return None
        points = affine_points(
            self._uniform(count, config.rotation),
            self._uniform(count, config.shear),
            1 + self._uniform(count, config.scale),
            1 + self._uniform(count, config.aspect),
        )
        if config.elastic:
            coarse = torch.randn(count, 2, *[_KNOTS] * 2, generator=self.generator)
            points += elastic_moves(config.elastic * coarse)
        return points

    def _uniform(self, count: int, limit: float) -> Tensor:
        """Draw `(count,)` numbers between -limit and limit."""
        if limit == 0:
            return torch.zeros(count)
        return limit * (2 * torch.rand(count, generator=self.generator) - 1)


def affine_points(angle: Tensor, shear: Tensor, scale: Tensor, aspect: Tensor) -> Tensor:
    """Return where each pixel of a turned, slanted and scaled image comes from.

    Args:
        angle: `(N,)`, degrees, positive clockwise on the screen, as torchvision's `affine` has it.
        shear: `(N,)`, degrees; positive slants as torchvision's first shear does.
        scale: `(N,)`, 1 keeps the size, 2 doubles it.
        aspect: `(N,)`, by which the width alone is multiplied, before all else.

    Returns:
        `(N, 28, 28, 2)` points, x and y in [-1, 1] across the image, as `bent` takes them.

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
    """Return the smooth field of moves that `(N, 2, k, k)` moves in pixels at its knots make.

    It is `(N, 28, 28, 2)`, x and y, in the units of `affine_points`: elastic distortions as Simard,
    Steinkraus and Platt (2003) made them, with a cubic interpolation for their Gaussian.
    """
    field = F.interpolate(knots, (28, 28), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1) * (2 / 28)


def bent(images: Tensor, points: Tensor | None) -> Tensor:
    """Sample `(N, 28, 28)` images, uint8 or float, at `(N, 28, 28, 2)` points, bilinearly.

    Returns float32, in [0, 1] where the images were uint8, as `normalise` takes them; without
    points, the images as they were.
    """
    if points is None:
        return images
    moved = F.grid_sample(images[:, None].float(), points.to(images.device), align_corners=False)[
        :, 0
    ]
    return moved.mul_(1 / 255) if images.dtype == torch.uint8 else moved


def thickened(images: Tensor, pixels: Tensor) -> Tensor:
    """Return `(N, 28, 28)` images with strokes thicker, or thinner, by `(N,)` pixels in [-1, 1].

    A pixel goes that far towards the lightest, or the darkest, of the nine around it. Float32, in
    [0, 1] where the images were uint8.
    """
    ink = images[:, None].float()
    ink = ink.mul_(1 / 255) if images.dtype == torch.uint8 else ink
    share = pixels.to(images.device)[:, None, None, None]
    lightest, darkest = F.max_pool2d(ink, 3, 1, 1), -F.max_pool2d(-ink, 3, 1, 1)
    return torch.lerp(ink, torch.where(share > 0, lightest, darkest), share.abs())[:, 0]

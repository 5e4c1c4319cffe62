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
    scaled = images.unsqueeze(1).float()
    return scaled.mul_(1 / (unit * config.std)).sub_(config.mean / config.std)


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
            images = affine(images, *self._affine_parameters(len(indices)))
            yield normalise(images, self.config), self.labels[chosen]

    def _affine_parameters(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw `(count,)` angles and shears in degrees, and scales, for one batch."""
        config = self.config

        def uniform(limit: float) -> Tensor:
            if limit == 0:
                return torch.zeros(count)
            return limit * (2 * torch.rand(count, generator=self.generator) - 1)

        return uniform(config.rotation), uniform(config.shear), 1 + uniform(config.scale)


def affine(images: Tensor, angle: Tensor, shear: Tensor, scale: Tensor) -> Tensor:
    """Turn, slant and scale each image of a batch about its centre, with bilinear sampling.

    Args:
        images: `(N, 28, 28)` uint8 or float.
        angle: `(N,)`, degrees, positive clockwise on the screen, as torchvision's `affine` has it.
        shear: `(N,)`, degrees; positive slants as torchvision's first shear does.
        scale: `(N,)`, 1 keeps the size, 2 doubles it.

    Returns:
        `(N, 28, 28)`: the images as they were where nothing changes, else float32, and in [0, 1]
        where they were uint8, as `normalise` takes them.

    """
    if not (angle.any() or shear.any() or bool((scale != 1).any())):
        return images
    turn, slant = angle * (math.pi / 180), shear * (math.pi / 180)
    cos, sin, tan = turn.cos(), turn.sin(), slant.tan()
    # Output pixel → input pixel: the inverse of scale · rotation · shear.
    rows = [
        cos - tan * sin,
        sin + tan * cos,
        torch.zeros_like(cos),
        -sin,
        cos,
        torch.zeros_like(cos),
    ]
    theta = (torch.stack(rows, -1).view(-1, 2, 3) / scale[:, None, None]).to(images.device)
    grid = F.affine_grid(theta, [len(images), 1, 28, 28], align_corners=False)
    bent = F.grid_sample(images[:, None].float(), grid, align_corners=False)[:, 0]
    return bent.mul_(1 / 255) if images.dtype == torch.uint8 else bent

"""Make shuffled, augmented and normalized batches on the device from digits in memory.

The images stay one uint8 tensor; a batch is one index selection, and augmentation works on the
whole batch at once. There is no Python work per image.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.config import TrainConfig
from core.training.augmentation import Augmentation


def normalize(images: Tensor, config: TrainConfig) -> Tensor:
    """Turn `(N, 28, 28) uint8`, or float in [0, 1], into `(N, 1, 28, 28) float32` network input."""
    unit = 255.0 if images.dtype == torch.uint8 else 1.0
    return (images.unsqueeze(1) * (1 / (unit * config.std))).sub_(config.mean / config.std)


class TrainingBatches:
    """The training images on the device; each iteration is one epoch in a fresh `order`.

    Args:
        images: `(N, 28, 28) uint8`.
        labels: `(N,) uint8`.
        config: batch size, normalization and augmentation.
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
        self.augmentation = Augmentation(config, generator)
        self.windows = self.augmentation.windows(torch.from_numpy(images).to(device))

    def __len__(self) -> int:
        """Return the number of steps in an epoch; a last batch of one image is left out.

        BatchNorm cannot train on a single image.
        """
        count, size = len(self.labels), self.config.batch_size
        return count // size + (count % size > 1)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield `(B, 1, 28, 28) float32` network input and `(B,) int64` labels."""
        self.order = torch.randperm(len(self.labels), generator=self.generator)
        for indices in torch.split(self.order, self.config.batch_size)[: len(self)]:
            down, across = self.augmentation.shifts(len(indices)).to(self.device)
            chosen = indices.to(self.device)
            images = self.augmentation(self.windows[chosen, down, across])
            yield normalize(images, self.config), self.labels[chosen]

"""A trained run of an experiment, from which findings are made."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.data.digits import Digits
from core.experiments.definition import Part
from core.training.batches import normalize
from core.training.inference import probabilities


@dataclass(frozen=True, eq=False)
class Trained:
    """A run with the network of its best epoch so far.

    `answers (V, 10)` are its probabilities for its validation images, `labels (V,)` their labels
    and `validation` its accuracy on them; `digits` is the data that it was given.
    """

    part: Part
    network: nn.Sequential
    answers: NDArray[np.float32]
    labels: NDArray[np.uint8]
    validation: float
    digits: Digits

    def read(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `(N, 10)` probabilities for `(N, 28, 28)` images, uint8 or float in [0, 1]."""
        return probabilities(self.network, images, self.part.config)

    def logits(self, images: Tensor) -> Tensor:
        """Return `(N, 10)` logits for `(N, 28, 28) float32` images in [0, 1], differentiably."""
        return torch.as_tensor(self.network(normalize(images, self.part.config)))

    def accuracy(
        self, images: NDArray[np.uint8] | NDArray[np.float32], labels: NDArray[np.uint8]
    ) -> float:
        """Return the share of images that are read correctly."""
        return float((self.read(images).argmax(axis=1) == labels).mean())

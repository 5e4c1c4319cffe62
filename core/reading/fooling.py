"""Fool a network: find the smallest changes of a digit that change the network's answer.

This is the fast gradient sign method (Goodfellow, Shlens and Szegedy, 2015): each pixel changes by
the same small amount, in the direction that helps.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from core.reading.reader import Reader
from core.training.batches import normalize

STEP = 0.01  # of a pixel's range, black to white
STEPS = 30
EPSILONS = (0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class Fooling:
    """A digit that is changed step by step towards another answer.

    `images (STEPS + 1, 28, 28)` begin with the digit itself, and no pixel of image k differs from
    it by more than k × STEP. `probabilities (STEPS + 1, 10)` are the network's calibrated answers.
    `flip` is the first step with the wanted answer; None if there is none.
    """

    images: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    flip: int | None


def fool(reader: Reader, image: NDArray[np.float32], target: int) -> Fooling:
    """Change a (28, 28) image in [0, 1] towards the answer `target`, in STEPS steps of STEP."""
    current = torch.tensor(image[None])
    wanted = torch.tensor([target])
    images, answers = [current], [_answers(reader, current)]
    for _ in range(STEPS):
        current = (current - STEP * _uphill(reader, current, wanted).sign()).clamp(0, 1)
        images.append(current)
        answers.append(_answers(reader, current))
    probabilities = reader.calibration.apply(torch.cat(answers).numpy())
    reached = np.flatnonzero(probabilities.argmax(axis=1) == target)
    return Fooling(
        images=torch.cat(images).numpy(),
        probabilities=probabilities,
        flip=int(reached[0]) if len(reached) else None,
    )


def still_right(
    reader: Reader, images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> dict[float, float]:
    """Return, for 0 and each of EPSILONS, the share of digits that are still read right.

    `images (N, 28, 28)` are changed by one step of that size, away from their `labels (N,)`.
    """
    digits = torch.tensor(images).float() / 255
    truth = torch.tensor(labels).long()
    away = _uphill(reader, digits, truth).sign()
    return {
        epsilon: float(
            (_answers(reader, (digits + epsilon * away).clamp(0, 1)).argmax(1) == truth)
            .float()
            .mean()
        )
        for epsilon in (0.0, *EPSILONS)
    }


def _uphill(reader: Reader, images: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of the loss with respect to each pixel of `(N, 28, 28)` images."""
    images = images.clone().requires_grad_()
    loss = cross_entropy(reader.model(normalize(images, reader.config)), labels, reduction="sum")
    return torch.autograd.grad(loss, images)[0]


def _answers(reader: Reader, images: Tensor) -> Tensor:
    with torch.inference_mode():
        answers: Tensor = reader.model(normalize(images, reader.config)).softmax(dim=1)
        return answers.clone()

"""The digit that a network dreams of: the picture that it finds most like a class.

This is activation maximization (Erhan, Bengio, Courville and Vincent, 2009) from noise, by gradient
ascent. Ascending pixel by pixel gives a texture, since a network need not know how a digit looks to
tell it from nine others. So the ascent is in the principal components of handwritten digits, under
a Gaussian prior: their covariance does for digits what the decorrelated space of Olah, Mordvintsev
and Schubert (2017) does for photographs. The gradient is the mean over copies that are turned,
slanted and moved, with random mixtures of components added, like the noise in SmoothGrad (Smilkov,
Thorat, Kim, Viégas and Wattenberg, 2017). This averages out effects of one exact picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.reading.reader import Reader
from core.training.augmentation import affine_points, bent
from core.training.batches import normalize

MOMENTS = 8
_STEPS = 60  # of gradient ascent, by Adam
_COPIES = 12  # of the picture at each step
_RATE = 0.3  # Adam's learning rate, in standard deviations of the components
_NOISE = 0.5  # the brightest pixel of the initial noise
_FADES = 0.6  # share of the steps in which the noise fades into the mean digit
_PRIOR = 0.02  # weight of the squared components
_OTHERS = 0.7  # strength of the random mixtures that are added to the copies
_TURN, _GROW = 10.0, 0.1  # degrees of turning and slant, and share of the size, either way
_IMAGES = 5_000  # the most images that the prior is learned from


@dataclass(frozen=True, eq=False)
class Prior:
    """The mean and the principal axes of handwritten digits.

    `mean (784,)` is in [0, 1]; `axes (784, 784)` has the principal axes as columns, each with the
    standard deviation along it as its length.
    """

    mean: Tensor
    axes: Tensor


@dataclass(frozen=True, eq=False)
class Moment:
    """The picture `(28, 28)` in [0, 1] after a number of steps, and its calibrated answer `(10,)`.

    Step 0 is the noise.
    """

    step: int
    image: NDArray[np.float32]
    probabilities: NDArray[np.float32]


def prior_of(images: NDArray[np.uint8]) -> Prior:
    """Return the prior of `(N, 28, 28)` images of digits, from at most the first _IMAGES."""
    pixels = images[:_IMAGES].reshape(-1, 28 * 28).astype(np.float32) / 255
    variances, axes = np.linalg.eigh(np.cov(pixels, rowvar=False))
    axes *= np.sqrt(variances.clip(min=0))
    return Prior(torch.tensor(pixels.mean(axis=0)), torch.tensor(axes, dtype=torch.float32))


def dream(reader: Reader, digit: int, seed: int, prior: Prior) -> Iterator[Moment]:
    """Yield MOMENTS moments of a dream of `digit`, from the noise of a seed to the last picture.

    It maximizes the log-probability of the digit, not its logit, which is also raised by strokes
    that help every digit.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = _NOISE * torch.rand(28 * 28, generator=generator)
    parts = torch.zeros(len(prior.axes))
    first, second = torch.zeros_like(parts), torch.zeros_like(parts)  # Adam's moments
    shown = set(np.linspace(0, _STEPS, MOMENTS).round().astype(int).tolist())
    for step in range(_STEPS + 1):
        fading = max(0.0, 1 - step / (_FADES * _STEPS))
        ground = fading * noise + (1 - fading) * prior.mean
        if step in shown:
            yield _moment(reader, step, _picture(parts, ground, prior))
        uphill = _uphill(reader, parts, ground, prior, digit, generator)
        first.lerp_(uphill, 0.1)
        second.lerp_(uphill.square(), 0.01)
        mean, spread = first / (1 - 0.9 ** (step + 1)), (second / (1 - 0.99 ** (step + 1))).sqrt()
        parts = parts + _RATE * mean / (spread + 1e-8)


def _picture(parts: Tensor, ground: Tensor, prior: Prior) -> Tensor:
    """Return the `(1, 28, 28)` picture of a mixture on a ground `(784,)`."""
    return (ground + prior.axes @ parts).view(1, 28, 28).clamp(0, 1)


def _uphill(
    reader: Reader,
    parts: Tensor,
    ground: Tensor,
    prior: Prior,
    digit: int,
    generator: torch.Generator,
) -> Tensor:
    """Return the gradient of the objective with respect to each component of the mixture."""

    def either_way(far: float) -> Tensor:
        return far * (2 * torch.rand(_COPIES, generator=generator) - 1)

    parts = parts.clone().requires_grad_()
    points = affine_points(
        either_way(_TURN), either_way(_TURN), 1 + either_way(_GROW), 1 + either_way(_GROW)
    )
    copies = bent(_picture(parts, ground, prior).expand(_COPIES, 28, 28), points)
    others = torch.randn(_COPIES, len(parts), generator=generator) @ prior.axes.T
    copies = (copies + _OTHERS * others.view(-1, 28, 28)).clamp(0, 1)
    likely = reader.model(normalize(copies, reader.config)).log_softmax(dim=1)[:, digit].mean()
    return torch.autograd.grad(likely - _PRIOR * parts.square().sum(), parts)[0]


def _moment(reader: Reader, step: int, image: Tensor) -> Moment:
    with torch.inference_mode():
        softmax = reader.model(normalize(image, reader.config)).softmax(dim=1).numpy()
    probabilities = np.asarray(reader.calibration.apply(softmax)[0], np.float32)
    return Moment(step, image[0].numpy().copy(), probabilities)

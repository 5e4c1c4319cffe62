"""The digit that a network dreams of: the picture that it finds most like a class.

Activation maximization (Erhan, Bengio, Courville and Vincent, 2009) from noise, by gradient ascent.
Without a check the result is more noise; with blur and decay of what does not matter (Yosinski,
Clune, Nguyen, Fuchs and Lipson, 2015), a penalty on total variation, and copies that are turned,
slanted and moved at every step (Olah, Mordvintsev and Schubert, 2017), strokes are left.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.reading.reader import Reader
from core.training.augmentation import affine_points, bent
from core.training.batches import normalize

MOMENTS = 8
_STEPS = 60  # of gradient ascent, by Adam
_COPIES = 8  # of the picture at each step
_RATE = 0.1  # Adam's, in parts of the way from black to white
_NOISE = 0.5  # the brightest that a pixel may begin
_DECAY, _VARIATION = 20.0, 10.0  # weights of the mean pixel, and of neighbors' squared differences
_TURN, _GROW = 12.0, 0.1  # degrees of turning and of slant, and share of the size, either way
_BLUR, _BLUR_EVERY = 1.0, 4  # pixels (standard deviation), steps


@dataclass(frozen=True, eq=False)
class Moment:
    """The picture `(28, 28)` in [0, 1] after a number of steps, and its calibrated answer `(10,)`.

    Step 0 is the noise.
    """

    step: int
    image: NDArray[np.float32]
    probabilities: NDArray[np.float32]


def dream(reader: Reader, digit: int, seed: int) -> Iterator[Moment]:
    """Yield MOMENTS moments of a dream of `digit`, from the noise of a seed to the last picture.

    It maximizes the log of the digit's probability, not its logit: strokes that help every digit
    also raise the logit.
    """
    generator = torch.Generator().manual_seed(seed)
    image = _NOISE * torch.rand(1, 28, 28, generator=generator)
    first, second = torch.zeros_like(image), torch.zeros_like(image)  # Adam's moments
    shown = set(np.linspace(0, _STEPS, MOMENTS).round().astype(int).tolist())
    yield _moment(reader, 0, image)
    for step in range(1, _STEPS + 1):
        uphill = _uphill(reader, image, digit, generator)
        first.lerp_(uphill, 0.1)
        second.lerp_(uphill.square(), 0.01)
        mean, spread = first / (1 - 0.9**step), (second / (1 - 0.99**step)).sqrt()
        image = (image + _RATE * mean / (spread + 1e-8)).clamp(0, 1)
        if step % _BLUR_EVERY == 0 and step < _STEPS:
            image = _blurred(image)
        if step in shown:
            yield _moment(reader, step, image)


def _uphill(reader: Reader, image: Tensor, digit: int, generator: torch.Generator) -> Tensor:
    """Return the gradient of what is maximized by each pixel of a `(1, 28, 28)` image."""

    def either_way(far: float) -> Tensor:
        return far * (2 * torch.rand(_COPIES, generator=generator) - 1)

    image = image.clone().requires_grad_()
    points = affine_points(
        either_way(_TURN), either_way(_TURN), 1 + either_way(_GROW), 1 + either_way(_GROW)
    )
    copies = bent(image.expand(_COPIES, 28, 28), points)
    logits = reader.model(normalize(copies, reader.config))
    likely = logits.log_softmax(dim=1)[:, digit].mean()
    across, down = image.diff(dim=2), image.diff(dim=1)
    variation = across.square().mean() + down.square().mean()
    score = likely - _DECAY * image.mean() - _VARIATION * variation
    return torch.autograd.grad(score, image)[0]


def _blurred(image: Tensor) -> Tensor:
    """Return a `(1, 28, 28)` image under a Gaussian of _BLUR pixels; outside of it is black."""
    kernel = torch.exp(-torch.arange(-3.0, 4.0).square() / (2 * _BLUR**2))
    kernel /= kernel.sum()
    across = F.conv2d(image[None], kernel.view(1, 1, 1, 7), padding=(0, 3))
    return F.conv2d(across, kernel.view(1, 1, 7, 1), padding=(3, 0))[0]


def _moment(reader: Reader, step: int, image: Tensor) -> Moment:
    with torch.inference_mode():
        softmax = reader.model(normalize(image, reader.config)).softmax(dim=1).numpy()
    probabilities = np.asarray(reader.calibration.apply(softmax)[0], np.float32)
    return Moment(step, image[0].numpy().copy(), probabilities)

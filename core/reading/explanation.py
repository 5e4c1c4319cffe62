"""Explain a network's answer: integrated gradients, and the most similar training digits.

Captum and the features of all training images take seconds, so this is computed only on request.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.reading.reader import Reader
from core.training import device
from core.training.batches import normalize
from core.training.inference import autocast

_STEPS = 64  # of the path from the baseline to the digit
_CHUNK = 2_000  # images whose features are computed at once
_PROJECTED = 256  # dimensions of each training image's projected features
_CANDIDATES = 50  # candidates whose features are compared in full


def evidence(
    reader: Reader,
    image: NDArray[np.float32],
    baseline: NDArray[np.float32],
    answer: int,
    rival: int,
) -> NDArray[np.float32]:
    """Return how much each pixel speaks for `answer` (above 0) or for `rival` (below 0), (28, 28).

    These are integrated gradients (Sundararajan, Taly and Yan, 2017) of the difference between the
    two digits' logits, along the path from `baseline` to `image`, both (28, 28) in [0, 1]. Their
    sum is the change of that difference. With the mean training digit as the baseline, missing ink
    can be evidence too.
    """
    from captum.attr import IntegratedGradients  # takes 1 s

    def margin(images: Tensor) -> Tensor:
        logits: Tensor = reader.model(images)
        return logits[:, answer] - logits[:, rival]

    here, there = (
        normalize(torch.tensor(picture[None]), reader.config) for picture in (image, baseline)
    )
    values = IntegratedGradients(margin).attribute(here, there, n_steps=_STEPS)
    return np.asarray(values[0, 0].detach(), np.float32)


def sentence(
    image: NDArray[np.float32], values: NDArray[np.float32], answer: int, rival: int
) -> str:
    """Return a sentence that says where the strongest evidence is, in ink or in a gap.

    The digit's box is divided into three rows and three columns.
    """
    rows, columns = (np.flatnonzero((image > _INK).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return "There is no ink to speak for any digit."
    bands = [
        np.linspace(lines[0], lines[-1] + 1, 4).round().astype(int) for lines in (rows, columns)
    ]
    sums: list[tuple[float, str]] = []
    for row, upright in enumerate(("at the top", "", "at the bottom")):
        for column, across in enumerate(("left", "", "right")):
            part = tuple(
                slice(*band[place : place + 2])
                for band, place in zip(bands, (row, column), strict=True)
            )
            side = f"on the {across}" if across and not upright else across
            where = f"{upright} {side}".strip() or "in the middle"
            ink = image[part] > _INK
            sums.append((float(values[part][ink].sum()), f"The ink {where}"))
            sums.append((float(values[part][~ink].sum()), f"The gap {where}"))
    (most, speaks), (least, objects) = max(sums), min(sums)
    sentence = f"{speaks} makes it {_a(answer)} rather than {_a(rival)}."
    if -least > most / 2:
        sentence += f" {objects} would rather belong to {_a(rival)}."
    return sentence


_INK = 0.4  # brightness from which a pixel counts as ink


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


class SimilarDigits:
    """Training images, searchable by their features in a network's last hidden layer.

    Args:
        reader: the network.
        images: `(N, 28, 28) uint8`.
        learned: `(M,)` indices of the images that the network learned from, at least one.

    """

    def __init__(
        self, reader: Reader, images: NDArray[np.uint8], learned: NDArray[np.int64]
    ) -> None:
        self._reader, self._images, self._learned = reader, images, learned
        # Random projections nearly preserve the cosines between features (Johnson and
        # Lindenstrauss, 1984): they find the candidates with a tenth of the memory.
        width = self._features(images[learned[:1]]).shape[1]
        generator = torch.Generator().manual_seed(0)
        self._projection = torch.randn(width, min(_PROJECTED, width), generator=generator)
        self._projections = torch.cat(
            [
                self._projected(self._features(images[learned[start : start + _CHUNK]])).half()
                for start in range(0, len(learned), _CHUNK)
            ]
        )

    def nearest(
        self, image: NDArray[np.float32], count: int = 5
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the indices of the most similar images and their cosines, most similar first.

        `image` is (28, 28) in [0, 1].
        """
        wanted = self._features(image[None])
        rough = (self._projections.float() @ self._projected(wanted)[0]).topk(
            min(_CANDIDATES, len(self._projections))
        )
        candidates = self._learned[rough.indices.numpy()]
        found = (self._features(self._images[candidates]) @ wanted[0]).topk(
            min(count, len(candidates))
        )
        return candidates[found.indices.numpy()], found.values.numpy()

    def _features(self, images: NDArray[np.uint8] | NDArray[np.float32]) -> Tensor:
        """Return `(N, D)` features, each of length 1."""
        body = self._reader.model[:-1]  # the last layer turns features into logits
        with torch.inference_mode(), autocast(torch.device("cpu"), device.choose("cpu").precision):
            features: Tensor = body(normalize(torch.tensor(images), self._reader.config)).float()
        return torch.nn.functional.normalize(features)

    def _projected(self, features: Tensor) -> Tensor:
        return torch.nn.functional.normalize(features @ self._projection)

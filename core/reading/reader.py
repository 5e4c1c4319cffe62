"""A run's best network, ready to read people's digits with calibrated confidence."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.config import config_from
from core.runs import files
from core.runs.run import Run
from core.training import checkpoint
from core.training.augmentation import affine_points, bent, thickened
from core.training.inference import probabilities

SLANT, THICKNESS = 10.0, 0.5  # degrees and pixels, either way, when a person's digit is read


class Reader:
    """A run's network of its best epoch, ready to read digits on the CPU in float32."""

    def __init__(self, run: Run) -> None:
        """Load the network; its answers are calibrated. Raises RunError, CheckpointError."""
        content = checkpoint.load(files.path(run, "best.pt"))
        self.config = config_from(content["config"])
        self.model = checkpoint.network(content).eval()
        self.calibration = run.calibration

    def read(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `(N, 10)` probabilities for `(N, 28, 28) float32` digits in [0, 1].

        They are means over each digit as it is, slanted either way, thicker and thinner: one whose
        answer hangs on its slant or its pen is not read surely.
        """
        answers = [
            self.calibration.apply(probabilities(self.model, copy.numpy(), self.config))
            for copy in _varied(torch.tensor(images))
        ]
        return np.asarray(np.mean(answers, axis=0), np.float32)


def _varied(images: Tensor) -> Iterator[Tensor]:
    """Yield `(N, 28, 28)` images as they are, slanted, thicker and thinner."""
    yield images
    none, same = torch.zeros(len(images)), torch.ones(len(images))
    for slant in (-SLANT, SLANT):
        yield bent(images, affine_points(none, none + slant, same, same))
    for pixels in (-THICKNESS, THICKNESS):
        yield thickened(images, none + pixels)

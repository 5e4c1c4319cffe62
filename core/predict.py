"""A network and digits → probabilities."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from core import checkpoint, runs
from core.batches import affine_points, bent, normalise, thickened
from core.config import TrainConfig, config_from
from core.run import Run

SLANT, THICKNESS = 10.0, 0.5  # degrees and pixels, either way, when a person's digit is read
_CHUNK = 1_000  # images at once: their activations stay within tens of megabytes


def probabilities(
    model: nn.Module,
    images: NDArray[np.uint8] | NDArray[np.float32],
    config: TrainConfig,
    precision: str = "float32",
) -> NDArray[np.float32]:
    """Return `(N, 10)` probabilities for `(N, 28, 28)` digits, uint8 or float in [0, 1].

    With `config.reading_shift`, they are means over five copies, four of them moved. The model is
    left in evaluation mode; it stays on its device. `precision` is `float32` or `bfloat16`, the
    latter for the network's layers alone.
    """
    device = next(model.parameters()).device
    model.eval()
    chunks = []
    with torch.inference_mode(), autocast(device, precision):
        for start in range(0, len(images), _CHUNK):
            batch = torch.tensor(images[start : start + _CHUNK]).to(device)
            answers = [
                model(normalise(copy, config)).float().softmax(dim=1)
                for copy in moved(batch, config.reading_shift)
            ]
            chunks.append(torch.stack(answers).mean(dim=0).cpu())
    return torch.cat(chunks).numpy()


def moved(images: Tensor, pixels: int) -> Iterator[Tensor]:
    """Yield `(N, 28, 28)` images as they are and, unless `pixels` is 0, moved each of four ways."""
    yield images
    if pixels:
        for across, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            x, y = across * pixels, down * pixels
            yield F.pad(images, [x, -x, y, -y])


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which layers compute in `precision`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")


class Reader:
    """A run's network of its best epoch, ready to read digits on the CPU in float32."""

    def __init__(self, run: Run) -> None:
        """Load the network; its answers are calibrated. Raises RunError, CheckpointError."""
        content = checkpoint.load(runs.file(run, "best.pt"))
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

"""Compute a network's probabilities for digits, in batches, in a given precision."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from core.config import TrainConfig
from core.training.batches import normalize

_CHUNK = 500  # images at once: their activations stay in a processor's cache


def probabilities(
    model: nn.Module,
    images: NDArray[np.uint8] | NDArray[np.float32],
    config: TrainConfig,
    precision: str = "float32",
) -> NDArray[np.float32]:
    """Return `(N, 10)` probabilities for `(N, 28, 28)` digits, uint8 or float in [0, 1].

    With `config.reading_shift`, they are means over five copies, four of them moved. The model
    stays on its device and is left in evaluation mode. `precision` is `float32` or `bfloat16`,
    which applies only to the network's layers.
    """
    device = next(model.parameters(), torch.empty(0)).device  # without parameters: the CPU
    model.eval()
    chunks = []
    with torch.inference_mode(), autocast(device, precision):
        for start in range(0, len(images), _CHUNK):
            batch = torch.tensor(images[start : start + _CHUNK]).to(device)
            answers = [
                model(normalize(copy, config)).float().softmax(dim=1)
                for copy in moved(batch, config.reading_shift)
            ]
            chunks.append(torch.stack(answers).mean(dim=0).cpu())
    return torch.cat(chunks).numpy()


def moved(images: Tensor, pixels: int) -> Iterator[Tensor]:
    """Yield `(N, 28, 28)` images unchanged and, unless `pixels` is 0, moved in four directions."""
    yield images
    if pixels:
        for across, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            x, y = across * pixels, down * pixels
            yield F.pad(images, [x, -x, y, -y])


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which layers compute in `precision`."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")

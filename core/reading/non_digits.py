"""Detect non-digits, which a network with ten classes cannot do.

A small head on the built-in network's second and third layers was trained to tell digits from
non-digits. Later layers keep what distinguishes ten digits, and lose much of what distinguishes
them from other drawings. The detector is used with every network. `python -m tools.make_builtin`
trains it again, and scales its scores so that its two thresholds are 0 and 1.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from core.runs import builtin
from core.training import checkpoint, networks
from core.training.batches import normalize

WEIGHTS = Path(__file__).parent / "non_digits.pt"
A_DIGIT = 0.0  # the score from which a drawing may be a digit; very few real digits are below it
CLEARLY = 1.0  # the score of typical digits; from it on, an answer may be sure
_LAYERS = (6, 9)  # positions of the ReLUs after strong_cnn's second and third convolutions
_PLACES = 3  # a layer's maps are averaged over 3 × 3 parts of the picture
FEATURES, HIDDEN = _PLACES**2 * (64 + 128), 64


class Features(nn.Module):
    """The outputs of the built-in network's second and third layers, averaged over 3 × 3 parts."""

    def __init__(self) -> None:
        """Load the network. Raises CheckpointError."""
        super().__init__()
        network = checkpoint.network(checkpoint.load(builtin.WEIGHTS))
        self.layers = network[: _LAYERS[-1] + 1].eval()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the `(N, FEATURES)` of `(N, 1, 28, 28)` normalized images."""
        found = []
        for position, layer in enumerate(self.layers):
            inputs = layer(inputs)
            if position in _LAYERS:
                found.append(F.adaptive_avg_pool2d(inputs, _PLACES).flatten(1))
        return torch.cat(found, 1)


def head() -> nn.Sequential:
    """Return the layers from `(N, FEATURES)` to `(N, 1)` scores."""
    return nn.Sequential(
        *(nn.BatchNorm1d(FEATURES, affine=False), networks.Dropout(0.15)),
        *(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), networks.Dropout(0.3)),
        nn.Linear(HIDDEN, 1),
    )


@lru_cache(maxsize=1)
def detector() -> nn.Sequential:
    """Return the whole detector, features and head, on the CPU in float32."""
    trained_head = head()
    trained_head.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return nn.Sequential(Features(), *trained_head).eval()


def scores(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much `(N, 28, 28)` images in [0, 1] look like digits, `(N,)`."""
    with torch.inference_mode():
        found = detector()(normalize(torch.tensor(images), builtin.run().config))
    return np.asarray(found[:, 0])

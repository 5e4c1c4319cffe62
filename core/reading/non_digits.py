"""Detect non-digits, which a network with ten classes cannot do.

A small head on the built-in network's last hidden layer was trained to tell digits from non-digits.
It is used with every network. `python -m tools.make_builtin` trains it again.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.runs import builtin
from core.training import checkpoint, networks
from core.training.batches import normalize

WEIGHTS = Path(__file__).parent / "non_digits.pt"
FEATURES, HIDDEN = 2048, 64  # the first is the width of strong_cnn's last hidden layer


def body() -> nn.Sequential:
    """Return the built-in network without its last layer. Raises CheckpointError."""
    return checkpoint.network(checkpoint.load(builtin.WEIGHTS))[:-1].eval()


def head() -> nn.Sequential:
    """Return the layers from `(N, 2048)` features to `(N, 1)` scores; digits have at least 0."""
    return nn.Sequential(
        nn.BatchNorm1d(FEATURES, affine=False),
        *(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), networks.Dropout(0.3)),
        nn.Linear(HIDDEN, 1),
    )


@lru_cache(maxsize=1)
def detector() -> nn.Sequential:
    """Return the whole detector, body and head, on the CPU in float32."""
    trained_head = head()
    trained_head.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return nn.Sequential(*body(), *trained_head.eval())


def are_digits(images: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of `(N, 28, 28)` images in [0, 1] look like a digit, `(N,)`."""
    with torch.inference_mode():
        scores = detector()(normalize(torch.tensor(images), builtin.run().config))
    return np.asarray(scores[:, 0] >= 0)

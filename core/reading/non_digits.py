"""Whether a picture is a digit at all, which a network with ten classes cannot tell.

A small head on the built-in network's last hidden layer has learned to tell digits from non-digits;
it is used beside every network. `python -m tools.make_builtin` makes it anew.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.runs import builtin
from core.training import checkpoint, networks
from core.training.batches import normalise

WEIGHTS = Path(__file__).parent / "non_digits.pt"
FEATURES, HIDDEN = 2048, 64  # the first is the width of strong_cnn's last hidden layer


def body() -> nn.Sequential:
    """Return the built-in network without its last layer. Raises CheckpointError."""
    return checkpoint.network(checkpoint.load(builtin.WEIGHTS))[:-1].eval()


def head() -> nn.Sequential:
    """Return the layers that turn `(N, 2048)` features into `(N, 1)`: from 0 on it is a digit."""
    return nn.Sequential(
        nn.BatchNorm1d(FEATURES, affine=False),
        *(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), networks.Dropout(0.3)),
        nn.Linear(HIDDEN, 1),
    )


@lru_cache(maxsize=1)
def detector() -> nn.Sequential:
    """Return body and head, on the CPU in float32."""
    judge = head()
    judge.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return nn.Sequential(*body(), *judge.eval())


def are_digits(images: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of `(N, 28, 28)` images in [0, 1] look like a digit, `(N,)`."""
    with torch.inference_mode():
        scores = detector()(normalise(torch.tensor(images), builtin.run().config))
    return np.asarray(scores[:, 0] >= 0)

"""How weights form: which moments of a training are kept, and the file that keeps them.

A moment's weights are stored in 16 bits, and large matrices in 8 bits with a scale per row, so that
all moments of a run fit into MAX_BYTES.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.errors import CheckpointError
from core.training import checkpoint
from core.training.checkpoint import load_weights

MAX_BYTES = 10 * 10**6  # of all moments of a run
MOST = 40  # moments, since the page computes with each of them
_IN_FIRST_EPOCH = 10
_LARGE = 50_000  # a matrix with at least this many values is kept in 8 bits
_SCALE = "/scale"  # suffix of the name of a matrix's scales


@dataclass(frozen=True)
class Moment:
    """The packed weights that read digits after `step` steps."""

    step: int
    weights: Mapping[str, Tensor]


def moments(steps_per_epoch: int, epochs: int, model: nn.Module) -> frozenset[int]:
    """Return the steps whose weights are kept: 0, ten within the first epoch, each epoch's last.

    In the first epoch they are increasingly far apart, since most happens at the start. With a
    large network or many epochs, fewer are kept, evenly spaced, including the first and the last.
    """
    first = np.geomspace(1, max(1, steps_per_epoch - 1), _IN_FIRST_EPOCH).round().astype(int)
    last = steps_per_epoch * np.arange(epochs + 1)
    wanted = np.unique(np.concatenate([first, last]))
    size = sum(value.numel() * value.element_size() for value in packed(model).values())
    count = max(2, min(len(wanted), MOST, int(0.95 * MAX_BYTES) // size))
    chosen = wanted[np.linspace(0, len(wanted) - 1, count).round().astype(int)]
    return frozenset(chosen.tolist())


@torch.no_grad()
def packed(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's weights and statistics in 16 or 8 bits, on the CPU."""
    small: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        if not value.is_floating_point():
            small[name] = value.clone().cpu()
        elif value.ndim == 2 and value.numel() >= _LARGE:
            scale = value.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
            small[name] = (value / scale).round().to(torch.int8).cpu()
            small[name + _SCALE] = scale.half().cpu()
        else:
            small[name] = value.half().cpu()
    return small


def unpacked(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return packed weights in float32."""
    return {
        name: (value.float() * weights[name + _SCALE].float())
        if name + _SCALE in weights
        else (value.float() if value.is_floating_point() else value)
        for name, value in weights.items()
        if not name.endswith(_SCALE)
    }


def save(kept: list[Moment], path: Path) -> None:
    """Write moments, all or none. Raises CheckpointError without space or permission."""
    content = {
        f"{moment.step}:{name}": value for moment in kept for name, value in moment.weights.items()
    }
    checkpoint.save(content, path)


def load(path: Path) -> list[Moment]:
    """Read moments, in order; code in the file is never run. Raises CheckpointError."""
    content = checkpoint.load_tensors(path)
    found: dict[int, dict[str, Tensor]] = {}
    for key, value in content.items():
        step, _, name = key.partition(":")
        if not (step.isdecimal() and len(step) < 12):
            raise CheckpointError(f"{path} does not contain the moments of a training.")
        found.setdefault(int(step), {})[name] = value
    if len(found) > MOST:
        raise CheckpointError(f"{path} contains more than {MOST} moments, so it was not opened.")
    return [Moment(step, found[step]) for step in sorted(found)]


def put(moment: Moment, model: nn.Module) -> None:
    """Load a moment's weights into a network. Raises CheckpointError if they do not fit."""
    try:
        weights = unpacked(moment.weights)
    except RuntimeError as error:  # scales of another shape
        raise CheckpointError(f"The weights of step {moment.step} are damaged.") from error
    load_weights(model, weights)

"""Checkpoints: written whole or not at all, read as weights only."""

import pickle
import zipfile
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import torch

from core.config import config_from
from core.errors import CheckpointError
from core.training import networks


class Checkpoint(TypedDict):
    """The state of a training after an epoch, complete enough to resume to the same numbers."""

    config: dict[str, Any]
    epoch: int  # epochs completed
    best_epoch: int
    best_accuracy: float
    train_seconds: float
    model_state_dict: dict[str, Any]  # what reads digits
    raw_state_dict: NotRequired[dict[str, Any]]  # what learns, where what reads is its average
    optimizer_state_dict: dict[str, Any]
    scheduler_state_dict: dict[str, Any]
    random_state: dict[str, torch.Tensor]


def halved(weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return a state dict with its floating-point tensors in 16 bits, at half the size."""
    return {
        name: value.half() if value.is_floating_point() else value
        for name, value in weights.items()
    }


def save(checkpoint: Checkpoint | dict[str, torch.Tensor], path: Path) -> None:
    """Write a checkpoint, or weights. Raises CheckpointError without space or permission for it.

    It is written under a temporary name and renamed, so that what was there before stays whole
    until the new one is.
    """
    partial = path.with_suffix(".partial")
    try:
        torch.save(checkpoint, partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # a full disk is a RuntimeError in torch's writer
        if partial.is_file():
            partial.unlink()
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"The checkpoint {path} could not be written: {reason}. "
            "Make space or set DIGITLAB_RUNS to another folder."
        ) from error


def load(path: Path) -> Checkpoint:
    """Read a checkpoint on to the CPU; code in it is never run. Raises CheckpointError."""
    advice = "Choose another run or train again."
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint at {path}. {advice}") from None
    except (
        *(pickle.UnpicklingError, zipfile.BadZipFile, EOFError),
        *(OSError, RuntimeError, ValueError),
    ) as error:
        raise CheckpointError(
            f"{path} is damaged, or holds something other than weights; it was not opened. {advice}"
        ) from error
    if not isinstance(content, dict) or not content.keys() >= Checkpoint.__required_keys__:
        raise CheckpointError(f"{path} is no checkpoint of Digit Lab. {advice}")
    return content  # type: ignore[return-value]  # its keys were just checked


def load_weights(model: torch.nn.Module, checkpoint: Checkpoint) -> None:
    """Put a checkpoint's weights into the network it names. Raises CheckpointError on a misfit."""
    try:
        model.load_state_dict(checkpoint["model_state_dict"])
    except (RuntimeError, TypeError, AttributeError) as error:
        raise CheckpointError(
            "The checkpoint's weights do not fit the network that it names. "
            "Choose another run or train again."
        ) from error


def network(checkpoint: Checkpoint) -> torch.nn.Sequential:
    """Return a checkpoint's network, on the CPU. Raises CheckpointError."""
    model = networks.build(config_from(checkpoint["config"]))
    load_weights(model, checkpoint)
    return model

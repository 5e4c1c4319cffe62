"""Checkpoints: written completely or not at all, and read as weights only."""

import math
import zipfile
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import torch
from torch import Tensor

from core.config import config_from
from core.errors import CheckpointError
from core.training import networks
from core.training.onnx_network import OnnxNetwork
from core.whole import write_whole

MAX_BYTES = 256 * 2**20  # the largest network with its mean and Adam's state takes 24 MB
_MAX_STRUCTURE = 2**20  # bytes of everything in a checkpoint but tensors; 30 kB are usual


class Checkpoint(TypedDict):
    """The state of a training after an epoch, complete enough to resume with identical results."""

    config: dict[str, Any]
    epoch: int  # epochs completed
    best_epoch: int
    best_accuracy: float
    train_seconds: float
    model_state_dict: dict[str, Any]  # the weights that read digits
    # The weights in training, if those that read digits are their running mean.
    raw_state_dict: NotRequired[dict[str, Any]]
    onnx: NotRequired[torch.Tensor]  # (B,) uint8, instead of weights: an imported ONNX file
    hardness: NotRequired[torch.Tensor]  # `Hardness.counts`, if the run records them
    optimizer_state_dict: dict[str, Any]
    scheduler_state_dict: dict[str, Any]
    random_state: dict[str, torch.Tensor]


def halved(weights: dict[str, Any]) -> dict[str, torch.Tensor]:
    """Return a state dict with its floating-point tensors in 16 bits, which halves its size."""
    return {
        name: value.half() if value.is_floating_point() else value
        for name, value in weights.items()
    }


def save(checkpoint: Checkpoint | dict[str, torch.Tensor], path: Path) -> None:
    """Write a checkpoint, or weights. Raises CheckpointError without space or permission.

    An earlier file stays complete until the new one is.
    """
    try:
        write_whole(path, lambda partial: torch.save(checkpoint, partial))
    except (OSError, RuntimeError) as error:  # a full disk is a RuntimeError in torch's writer
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"The checkpoint {path} could not be written: {reason}. "
            "Free some space, or set DIGITLAB_RUNS to another folder."
        ) from error


def load(path: Path) -> Checkpoint:
    """Load a checkpoint to the CPU; code in it is never run. Raises CheckpointError."""
    content = opened(path)
    try:
        _check_content(content)
    except Exception as error:  # whatever a value of an unexpected type raises
        raise CheckpointError(f"{path} is not a checkpoint of Digit Lab. {_ADVICE}") from error
    return content  # type: ignore[no-any-return]  # its content was just checked


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Load named tensors to the CPU; code in the file is never run. Raises CheckpointError."""
    content = opened(path)
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and type(value) is Tensor for name, value in content.items()
    ):
        raise CheckpointError(f"{path} contains something other than weights. {_ADVICE}")
    return content


def opened(path: Path) -> Any:
    """Return the content of a file of weights, on the CPU; code in it is never run.

    Raises CheckpointError.
    """
    try:
        _check_container(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint at {path}. {_ADVICE}") from None
    except Exception as error:  # torch and zipfile raise all kinds of errors for damaged files
        raise CheckpointError(
            f"{path} is damaged or contains more than weights, so it was not opened. {_ADVICE}"
        ) from error


_ADVICE = "Choose another run or train again."


def _check_container(path: Path) -> None:
    """Raise ValueError or BadZipFile if opening the file could take more memory than MAX_BYTES."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError("it is too large")
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is compressed, so its unpacked size is not known")
    if sum(member.file_size for member in members) > MAX_BYTES:
        raise ValueError("it has too many bytes")
    if any(
        member.file_size > _MAX_STRUCTURE for member in members if member.filename.endswith(".pkl")
    ):
        raise ValueError("its structure is too large")


def _check_content(content: Any) -> None:
    """Raise an error, of any kind, unless each value has its type and is in its range."""
    kinds = {"epoch": int, "best_epoch": int, "best_accuracy": float, "train_seconds": float}
    kept = {name: content[name] for name in Checkpoint.__required_keys__}
    if not all(isinstance(kept[name], kinds.get(name, dict)) for name in kept):
        raise TypeError("a value has another type")
    if not all(isinstance(value, str | int | float) for value in kept["config"].values()):
        raise TypeError("a setting is not a plain value")
    given = content.get("onnx", torch.empty(0, dtype=torch.uint8))
    if type(given) is not Tensor or (given.dtype, given.ndim) != (torch.uint8, 1):
        raise TypeError("its ONNX file is something else")
    config = config_from(kept["config"])
    if not 0 <= kept["best_epoch"] <= kept["epoch"] <= config.epochs:
        raise ValueError("its epochs are impossible")
    if not (0 <= kept["best_accuracy"] <= 1 and 0 <= kept["train_seconds"] < math.inf):
        raise ValueError("its accuracy or its time is impossible")


def load_weights(model: torch.nn.Module, weights: object) -> None:
    """Load a checkpoint's `model_state_dict` into a network. Raises CheckpointError on a misfit."""
    own = model.state_dict()
    if (
        not isinstance(weights, dict)
        or weights.keys() != own.keys()
        or not all(is_like(weights[name], value) for name, value in own.items())
        or not all(value.isfinite().all() for value in weights.values())
    ):
        raise CheckpointError(f"The checkpoint's weights do not fit its network. {_ADVICE}")
    model.load_state_dict(dict(weights))  # without the file's own metadata


def is_like(value: object, own: Tensor) -> bool:
    """Return whether a value is a plain tensor of `own`'s shape and type; 16-bit floats fit too."""
    return (
        type(value) is Tensor
        and (value.layout, value.is_meta, value.shape) == (torch.strided, False, own.shape)
        and value.dtype in (own.dtype, torch.half if own.is_floating_point() else own.dtype)
    )


def network(checkpoint: Checkpoint) -> torch.nn.Sequential:
    """Return a checkpoint's network on the CPU, in channels-last format. Raises CheckpointError."""
    if "onnx" in checkpoint:
        return torch.nn.Sequential(OnnxNetwork(checkpoint["onnx"].numpy().tobytes()))
    model = networks.build(config_from(checkpoint["config"]))
    load_weights(model, checkpoint["model_state_dict"])
    return model.to(memory_format=torch.channels_last)

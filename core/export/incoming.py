"""Read a network from elsewhere: one of our exports, a tutorial's weights, or an ONNX file.

No code in a file is run, except an ONNX file's arithmetic. Sizes are checked before files are
opened.
"""

import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from core.config import TrainConfig, config_from
from core.data import mnist
from core.errors import CheckpointError, UserError
from core.evaluation import metrics
from core.evaluation.calibration import Calibration
from core.export import layers, weights
from core.export.terms import MAX_BYTES, PIXELS, TRY
from core.runs import formatting
from core.training import checkpoint, inference, networks
from core.training.onnx_network import OnnxNetwork

_TRIED = 500  # training images on which the ways of preparing pixels are compared
_ALIKE = 0.02  # ways whose accuracies differ by at most this are compared by their loss
_POOR = 0.5  # below this accuracy, the network probably expects something else

_FORMS = (
    "Give a run's export (the folder or the ZIP), a classifier as .onnx, or weights: .safetensors, "
    ".pt or .pth."
)
_SAVE = "Save weights with torch.save(model.state_dict(), PATH)."


@dataclass(frozen=True, eq=False)
class Incoming:
    """A network that was read, and what is known about it.

    It has either `state`, weights by our names, or `onnx`, the bytes `(B,) uint8` of a file.
    """

    config: TrainConfig
    parameters: int
    state: Mapping[str, Tensor] = field(default_factory=dict)
    onnx: Tensor | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)  # of our own exports; empty for others
    note: str = ""  # how its pixels are prepared, and how well it then reads
    warning: str = ""

    @property
    def kind(self) -> str:
        """The kind of file, as in `Run.imported`."""
        return "onnx" if self.onnx is not None else "run" if self.facts else "weights"


def read(path: Path, pixels: str = TRY) -> Incoming:
    """Return the network in a folder, ZIP, ONNX file or file of weights.

    `pixels` is one of PIXELS, or TRY; it is ignored for one of our own exports. Raises
    CheckpointError.
    """
    if path.is_dir():
        path = path / weights.NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(
                f"{path.name} is too large: at most {MAX_BYTES // 2**20} MB. Save the weights "
                "alone, without the optimizer's state."
            )
        if path.suffix == ".zip":
            return _from_safetensors(_unzipped(path), path.name, pixels)
        if path.suffix == ".safetensors":
            return _from_safetensors(path.read_bytes(), path.name, pixels)
        if path.suffix == ".onnx":
            return _from_onnx(path.read_bytes(), pixels)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}. {_FORMS}") from error
    if path.suffix not in (".pt", ".pth"):
        raise CheckpointError(f"{path.name} is not a kind of file that can be imported. {_FORMS}")
    try:
        content = checkpoint.opened(path)
    except CheckpointError as error:
        raise CheckpointError(
            f"{path.name} was not opened: it is damaged, not a PyTorch file, or contains more than "
            f"weights. {_SAVE}"
        ) from error
    return _named_anew(_state_dict(content), pixels)


def _unzipped(path: Path) -> bytes:
    """Return the weights in an export's ZIP; their size is checked before they are unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [one for one in archive.infolist() if Path(one.filename).name == weights.NAME]
            if len(found) == 1 and found[0].file_size <= MAX_BYTES:
                return archive.read(found[0])
            size = max((one.file_size for one in found), default=0)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged. Download or export it again.") from error
    if size > MAX_BYTES:
        raise CheckpointError(
            f"{weights.NAME} in {path.name} is too large: at most {MAX_BYTES // 2**20} MB. {_FORMS}"
        )
    many = "more than one" if found else "no"
    raise CheckpointError(f"{path.name} has {many} {weights.NAME}. {_FORMS}")


def _from_safetensors(content: bytes, file_name: str, pixels: str) -> Incoming:
    try:
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            file.write(content)
            file.flush()
            with safe_open(file.name, "pt") as opened:
                text = (opened.metadata() or {}).get(weights.FACTS)
                names = opened.keys()
                state = {name: opened.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{file_name} is damaged. Download or export it again.") from error
    if text is None:
        return _named_anew(state, pixels)
    try:
        facts = json.loads(text)
        config = config_from(facts["config"])
        Calibration(**facts["calibration"])
    except (KeyError, TypeError, ValueError, RecursionError, UserError) as error:
        raise CheckpointError(
            f"{file_name} has settings that this version does not know. Export it with this one."
        ) from error
    model = networks.build(config)
    checkpoint.load_weights(model, state)
    return Incoming(config, networks.parameter_count(model), state, facts=facts)


def _state_dict(content: object) -> Mapping[str, Tensor]:
    """Return the weights from a PyTorch file, which may hold other parts of a checkpoint too."""
    for key in ("", "model_state_dict", "state_dict", "model"):
        inner = content.get(key) if key and isinstance(content, Mapping) else content
        if (
            isinstance(inner, Mapping)
            and inner
            and all(isinstance(one, str) and type(value) is Tensor for one, value in inner.items())
        ):
            return inner
    raise CheckpointError(f"The file has no weights by name. {_SAVE}")


def _named_anew(state: Mapping[str, Tensor], pixels: str) -> Incoming:
    """Return the weights renamed to ours, with the preparation of pixels that reads best."""
    config, state = layers.fitted(state)
    model = networks.build(config)
    checkpoint.load_weights(model, state)
    config, note, accuracy = _prepared(model, config, pixels)
    warning = (
        f"{note} Its layers have the shapes of {config.network}, but may be used in another way, "
        "or its pixels be prepared otherwise."
        if accuracy < _POOR
        else ""
    )
    return Incoming(config, networks.parameter_count(model), state, note=note, warning=warning)


def _from_onnx(content: bytes, pixels: str) -> Incoming:
    """Return an ONNX network with the preparation of pixels that reads best."""
    model = OnnxNetwork(content)
    config, note, accuracy = _prepared(model, TrainConfig(), pixels)
    warning = (
        f"{note} Its pixels may be prepared otherwise: here ink is light on black, 28 × 28."
        if accuracy < _POOR
        else ""
    )
    kept = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
    return Incoming(config, model.numbers, onnx=kept, note=note, warning=warning)


def _prepared(model: nn.Module, config: TrainConfig, pixels: str) -> tuple[TrainConfig, str, float]:
    """Return how to prepare pixels, as settings and in words, and the accuracy on some digits.

    `pixels` names the way; with TRY, the one that reads best is chosen. Some networks read digits
    of any brightness equally well, so among nearly equal accuracies the lowest loss decides.
    """
    digits = mnist.load("sample")
    images, labels = digits.train_images[:_TRIED], digits.train_labels[:_TRIED]
    found = []
    for way in PIXELS if pixels == TRY else (pixels,):
        _, (mean, std) = PIXELS[way]
        tried = config.changed({"mean": mean, "std": std})
        loss, accuracy = metrics.score(inference.probabilities(model, images, tried), labels)
        found.append((loss, accuracy, way, tried))
    enough = max(accuracy for _, accuracy, _, _ in found) - _ALIKE
    _, accuracy, way, best = min(one for one in found if one[1] >= enough)
    share = formatting.percent(accuracy)
    note = f"With pixels {PIXELS[way][0]}, it reads {share} of {_TRIED:,} training digits."
    return best, note, accuracy

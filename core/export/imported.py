"""Take a network from elsewhere for a run: an export of ours, or a tutorial's weights.

Nothing in a file is run: weights are read as weights only, and sizes are bounded before they are
opened. Accuracies are measured here, on the data that are here; those that a file claims are not
believed.
"""

import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.config import TrainConfig, config_from
from core.data import mnist
from core.data.digits import SOURCES, Digits
from core.errors import CheckpointError, DataError, RunError, UserError
from core.evaluation import metrics
from core.evaluation.calibration import Calibration
from core.export import layers, weights
from core.export.terms import LEARNED, MAX_BYTES, UNKNOWN
from core.jobs import limits
from core.runs import answers, catalogue, files, sharing
from core.runs.person import OWNER, Person
from core.runs.run import NAME_LENGTH, Run, State
from core.runs.store import is_shared
from core.training import checkpoint, inference, networks
from core.training.checkpoint import Checkpoint

_NORMALISATIONS = ((0.1307, 0.3081), (0.5, 0.5), (0.0, 1.0))  # mean and deviation, of pixels
_TRIED = 500  # training images with which one of them is chosen
_POOR = 0.5  # accuracy on them below which the layers are probably used in another way

_FORMS = "Give a run's export (the folder or the ZIP), or weights: .safetensors, .pt or .pth."


@dataclass(frozen=True, eq=False)
class _Network:
    """A network that was read: its settings, its weights by our names, and what is told of it."""

    config: TrainConfig
    state: Mapping[str, Tensor]
    facts: Mapping[str, Any]  # of an export of ours; empty for other weights
    warning: str = ""


def take(path: Path, name: str = "", learned: str = UNKNOWN, by: Person = OWNER) -> Run:
    """Enter the network in a file or folder into the store, as a finished run, and measure it.

    `learned` is one of LEARNED, and counts for weights alone; an export says itself what it learned
    from. Raises CheckpointError if nothing is read, RunError in a public demo, and StoreError.
    """
    if limits.is_demo() and not by.owns_all:
        raise RunError(
            "The public demo takes in no networks. Start Digit Lab on your own machine for that."
        )
    if learned not in LEARNED:
        raise RunError(f"What it learned from must be one of {', '.join(LEARNED)}, not {learned}.")
    found = _read(path)
    return _entered(found, name or str(found.facts.get("name", path.stem)), learned, by)


def take_bytes(content: bytes, file_name: str, name: str, learned: str, by: Person) -> Run:
    """Do as `take` for an uploaded file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{Path(file_name).stem[:60] or 'network'}{Path(file_name).suffix}"
        path.write_bytes(content)
        return take(path, name, learned, by)


def _read(path: Path) -> _Network:
    """Return the network in a folder, ZIP or file of weights. Raises CheckpointError."""
    if path.is_dir():
        path = path / weights.NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(
                f"{path.name} is too large: at most {MAX_BYTES // 2**20} MB. Save the weights "
                "alone, without the optimiser's state."
            )
        if path.suffix == ".zip":
            return _from_safetensors(_unzipped(path), path.name)
        if path.suffix == ".safetensors":
            return _from_safetensors(path.read_bytes(), path.name)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}. {_FORMS}") from error
    if path.suffix not in (".pt", ".pth"):
        raise CheckpointError(f"{path.name} is of a kind that is not read here. {_FORMS}")
    return _named_anew(_state_dict(checkpoint.opened(path)), path.name)


def _unzipped(path: Path) -> bytes:
    """Return the weights in an export's ZIP, whose size is checked before they are unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = [one for one in archive.infolist() if Path(one.filename).name == weights.NAME]
            if len(found) == 1 and found[0].file_size <= MAX_BYTES:
                return archive.read(found[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged. Download or export it again.") from error
    raise CheckpointError(f"{path.name} has no {weights.NAME} of a usual size. {_FORMS}")


def _from_safetensors(content: bytes, file_name: str) -> _Network:
    try:
        with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
            file.write(content)
            file.flush()
            with safe_open(file.name, "pt") as opened:
                told = (opened.metadata() or {}).get(weights.FACTS)
                names = opened.keys()
                state = {name: opened.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{file_name} is damaged. Download or export it again.") from error
    if told is None:
        return _named_anew(state, file_name)
    try:
        facts = json.loads(told)
        config = config_from(facts["config"])
        Calibration(**facts["calibration"])
    except (KeyError, TypeError, ValueError, RecursionError, UserError) as error:
        raise CheckpointError(
            f"{file_name} has settings that this version does not know. Export it with this one."
        ) from error
    checkpoint.load_weights(networks.build(config), state)
    return _Network(config, state, facts)


def _state_dict(content: object) -> Mapping[str, Tensor]:
    """Return the weights in a file of torch's, alone or among what a training keeps beside them."""
    for key in ("", "model_state_dict", "state_dict", "model"):
        inner = content.get(key) if key and isinstance(content, Mapping) else content
        if (
            isinstance(inner, Mapping)
            and inner
            and all(isinstance(one, str) and type(value) is Tensor for one, value in inner.items())
        ):
            return inner
    raise CheckpointError(
        "The file has no weights by name. Save them with torch.save(model.state_dict(), PATH)."
    )


def _named_anew(state: Mapping[str, Tensor], file_name: str) -> _Network:
    """Return weights under our names, with the preparation of pixels that suits them best."""
    config, state = layers.fitted(state)
    model = networks.build(config)
    checkpoint.load_weights(model, state)
    digits = mnist.load("sample")
    images, labels = digits.train_images[:_TRIED], digits.train_labels[:_TRIED]
    scores = {}
    for mean, std in _NORMALISATIONS:
        tried = config.changed({"mean": mean, "std": std})
        scores[tried] = metrics.score(inference.probabilities(model, images, tried), labels)
    best = min(scores, key=lambda one: scores[one][0])
    accuracy = scores[best][1]
    warning = (
        f"It reads only {accuracy:.0%} of {_TRIED:,} digits: its layers have the shapes of "
        f"{config.network}, but may be used in another way, or its pixels be prepared otherwise."
        if accuracy < _POOR
        else ""
    )
    return _Network(best, state, {}, warning)


def _entered(found: _Network, name: str, learned: str, by: Person) -> Run:
    """Enter a network into the store as a finished run, measured where it may be."""
    data = str(found.facts.get("data", learned))
    run = catalogue.create(
        found.config,
        data if data in SOURCES else UNKNOWN,
        str(found.facts.get("recipe", "")),
        name[:NAME_LENGTH],
        by=by,
    )
    try:
        best = _checkpoint(found)
        checkpoint.save(best, run.folder / files.BEST)
        catalogue.set_tags(run.id, _tags(found, run))
        catalogue.log(run.id, _points(found, best))
        catalogue.move(run.id, State.FINISHED)
        _measure(catalogue.get(run.id), best)
        if is_shared():
            sharing.publish(run.id, run.folder, files.epochs(best["epoch"], best["best_epoch"]))
    except UserError as error:
        catalogue.move(run.id, State.FAILED, str(error))
        raise
    return catalogue.get(run.id)


def _checkpoint(found: _Network) -> Checkpoint:
    epochs = found.config.epochs if found.facts else 1
    return Checkpoint(
        config=found.config.to_dict(),
        epoch=_whole(found.facts.get("epochs"), epochs),
        best_epoch=_whole(found.facts.get("best_epoch"), epochs),
        best_accuracy=0.0,
        train_seconds=0.0,
        model_state_dict=dict(found.state),
        optimizer_state_dict={},
        scheduler_state_dict={},
        random_state={},
    )


def _whole(value: object, most: int) -> int:
    """Return an epoch that a file tells of; the last possible one for anything else."""
    return value if isinstance(value, int) and 1 <= value <= most else most


def _tags(found: _Network, run: Run) -> dict[str, str]:
    told = found.facts.get("seen")
    seen = [one if one in SOURCES else UNKNOWN for one in told] if isinstance(told, list) else []
    checksum = str(found.facts.get("data_checksum", ""))
    tags = {
        "imported": "run" if found.facts else "weights",
        "data_checksum": checksum,
        "warning": found.warning,
        "trained_in": files.claim(run),
    }
    taught = found.facts.get("taught_digits")
    if isinstance(taught, int) and taught > 0:
        tags["taught_digits"] = str(taught)
    digits = _digits()
    if found.facts and digits and run.data == digits.source and checksum != digits.checksum:
        seen.append(UNKNOWN)  # of the same name, but other images
    if seen:
        tags["seen"] = " ".join(sorted(set(seen) - {run.data}))
    return tags


def _points(found: _Network, best: Checkpoint) -> list[tuple[str, float, int]]:
    model = networks.build(found.config)
    calibration = Calibration(**found.facts.get("calibration", {}))
    values = {
        "epochs": best["epoch"],
        "best_epoch": best["best_epoch"],
        "parameters": networks.parameter_count(model),
        "temperature": calibration.temperature,
        "reading_sure_from": calibration.sure_from,
    }
    return [(name, float(one), best["epoch"]) for name, one in values.items() if one is not None]


def _digits() -> Digits | None:
    """Return the data in use; None if they are damaged."""
    try:
        return mnist.load()
    except DataError:
        return None


def _measure(run: Run, best: Checkpoint) -> None:
    """Measure a network on those images of the data in use that its accuracies would be from."""
    digits = _digits()
    if digits is None:
        return
    offered = answers.splits(run, digits)
    if "test" in offered:
        tested = answers.read_test(run, best, digits)
        catalogue.log(run.id, [("test_accuracy", tested, best["epoch"])])
    if "validation" in offered:
        result = answers.of(run, "validation", digits)
        accuracy = metrics.score(result.probabilities, result.labels)[1]
        catalogue.log(run.id, [("best_validation_accuracy", accuracy, best["epoch"])])

"""Import a network from elsewhere as a run.

Its accuracies are measured on the data in use; those that a file claims are ignored.
"""

import tempfile
from pathlib import Path

from core.data import mnist
from core.data.digits import SOURCES, Digits
from core.errors import DataError, RunError, UserError
from core.evaluation import metrics
from core.evaluation.calibration import Calibration
from core.export import incoming
from core.export.incoming import Incoming
from core.export.terms import LEARNED, TRY, UNKNOWN
from core.jobs import limits
from core.runs import answers, catalogue, files, sharing
from core.runs.person import OWNER, Person
from core.runs.run import NAME_LENGTH, Run, State
from core.runs.store import is_shared
from core.training import checkpoint
from core.training.checkpoint import Checkpoint


def take(
    path: Path, name: str = "", learned: str = UNKNOWN, by: Person = OWNER, pixels: str = TRY
) -> Run:
    """Enter the network in a file or folder into the store, as a finished run, and measure it.

    `learned` is one of LEARNED, `pixels` one of PIXELS or TRY; both are ignored for one of our own
    exports, which records them. Raises CheckpointError if the file cannot be read, RunError in a
    public demo, and StoreError.
    """
    if limits.is_demo() and not by.owns_all:
        raise RunError(
            "Networks cannot be imported in the public demo. Start Digit Lab on your own machine "
            "for that."
        )
    if learned not in LEARNED:
        raise RunError(f"What it learned from must be one of {', '.join(LEARNED)}, not {learned}.")
    found = incoming.read(path, pixels)
    return _entered(found, name or str(found.facts.get("name", path.stem)), learned, by)


def take_bytes(
    content: bytes, file_name: str, name: str, learned: str, by: Person, pixels: str = TRY
) -> Run:
    """Do as `take` for an uploaded file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{Path(file_name).stem[:60] or 'network'}{Path(file_name).suffix}"
        path.write_bytes(content)
        return take(path, name, learned, by, pixels)


def _entered(found: Incoming, name: str, learned: str, by: Person) -> Run:
    """Enter a network into the store as a finished run, and measure it on what it has not seen."""
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


def _checkpoint(found: Incoming) -> Checkpoint:
    epochs = found.config.epochs if found.facts else 1
    content = Checkpoint(
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
    if found.onnx is not None:
        content["onnx"] = found.onnx
    return content


def _whole(value: object, most: int) -> int:
    """Return the epoch that a file names, or the last possible one if it is invalid."""
    return value if isinstance(value, int) and 1 <= value <= most else most


def _tags(found: Incoming, run: Run) -> dict[str, str]:
    known = found.facts.get("seen")
    seen = [one if one in SOURCES else UNKNOWN for one in known] if isinstance(known, list) else []
    checksum = str(found.facts.get("data_checksum", ""))
    tags = {
        "imported": found.kind,
        "mlflow.note.content": found.note,
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


def _points(found: Incoming, best: Checkpoint) -> list[tuple[str, float, int]]:
    calibration = Calibration(**found.facts.get("calibration", {}))
    values = {
        "epochs": best["epoch"],
        "best_epoch": best["best_epoch"],
        "parameters": found.parameters,
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
    """Measure a network on the test and validation images that it may be evaluated on."""
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

"""A run as recorded in the store, and the states it can be in."""

import json
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.config import TrainConfig, config_from, has_effect
from core.data.splits import sizes_of
from core.errors import ConfigError, RunError
from core.evaluation.calibration import Calibration
from core.runs import kept
from core.runs.clock import now
from core.runs.kept import Kept
from core.runs.store import directory

BUILTIN = "built-in"  # id and name of the network that comes with the app
NAME_LENGTH = 80  # characters
DIED = "the training process died"
_OF_ANY_NETWORK = ("network", "width", "mean", "std")  # settings that are known for any weights


class State(StrEnum):
    """The state of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether it is neither queued nor running."""
        return self not in (State.QUEUED, State.RUNNING)

    @property
    def is_final(self) -> bool:
        """Whether it cannot be resumed; a stopped or failed run can."""
        return self in (State.FINISHED, State.DIVERGED)


_ENDS = {state for state in State if state.is_over}
# The legal moves from each state. A run that has finished or diverged cannot be resumed.
MOVES: dict[State, set[State]] = {
    State.QUEUED: {State.RUNNING, *_ENDS},
    State.RUNNING: _ENDS,
    State.FINISHED: set(),
    State.STOPPED: {State.QUEUED},
    State.DIVERGED: set(),
    State.FAILED: {State.QUEUED},
}


@dataclass(frozen=True)
class Run:
    """A run as recorded in the store.

    Accuracies are in [0, 1], times in seconds; None means not known yet.
    """

    id: str
    name: str
    state: State
    reason: str
    warning: str
    config: TrainConfig
    recipe: str
    author: str
    host: str
    started: float  # time of the request, in seconds since 1970
    data: str
    data_checksum: str
    device: str
    precision: str
    versions: dict[str, str]
    commit: str
    note: str
    steps: int
    step: int
    epochs: int  # completed
    best_epoch: int | None
    parameters: int | None
    validation_accuracy: float | None
    last_validation_accuracy: float | None
    test_accuracy: float | None
    train_seconds: float | None
    taught_from: str  # id of the run that this one was fine-tuned from, or empty
    calibration: Calibration  # fitted on the validation images at the end; neutral until then
    seen: tuple[str, ...] = ()  # data sets other than `data` that its parents learned from
    taught_digits: int = 0  # how many of my digits it learned from
    sweep: str = ""  # the sweep that it is a trial of; only the winner's are tested
    owner: str = ""  # the tag of the person whose run it is; empty for the machine's owner
    imported: str = ""  # "run" (with its settings), "weights" or "onnx"; empty if trained here
    labels: tuple[str, ...] = ()
    pinned: bool = False  # at the top of the table of runs
    archived: bool = False  # hidden from the table of runs by default
    recent: str = ""  # its last points as JSON, see `history`
    trained_in: str = ""  # the folder where it trains or trained last, see `files.claim`
    kept: Mapping[str, Kept] = field(default_factory=dict)  # its files in the team's store, by name

    @property
    def folder(self) -> Path:
        """The run's folder on this machine: checkpoints, probabilities, log, TensorBoard events."""
        return folder_of(self.id)

    @property
    def is_builtin(self) -> bool:
        """Whether it is the network that comes with the app, which is in no store."""
        return self.id == BUILTIN

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether it was not trained in this store, and so is evaluated on the data in use."""
        return self.is_builtin or bool(self.imported)

    @property
    def has_settings(self) -> bool:
        """Whether its settings are known, which they are not for weights from elsewhere."""
        return self.imported in ("", "run")

    def knows(self, name: str) -> bool:
        """Return whether a setting has an effect, and its value is known."""
        known = self.has_settings or name in _OF_ANY_NETWORK
        return known and has_effect(name, self.config.to_dict())

    @property
    def sizes(self) -> tuple[int, int] | None:
        """The number of images to learn from, and for validation; None if its data are not known.

        These are what the data have; the settings may ask for more. Images that are left out for
        their labels are counted.
        """
        return sizes_of(self.data, self.config.validation_size, self.config.train_size)

    @property
    def learns_from_all(self) -> bool:
        """Whether it learns from all images that are not for validation."""
        return learns_from_all(self.config, self.data)

    @property
    def network(self) -> str:
        """The name of its network, or ONNX if it was imported from an ONNX file."""
        return "ONNX" if self.imported == "onnx" else self.config.network

    @property
    def why_sealed(self) -> str:
        """Why its layers can be neither inspected nor trained; empty if they can."""
        if self.imported != "onnx":
            return ""
        return (
            f"{self.name} was imported from an ONNX file, which gives answers, but no layers and "
            "no gradients. Choose another run, or import its weights instead."
        )

    @property
    def progress(self) -> float:
        """The share of its steps that are done, in [0, 1]."""
        return min(self.step / self.steps, 1.0) if self.steps else 0.0

    @property
    def current_epoch(self) -> int:
        """The current epoch, counted from 1; at the end, the last one."""
        return min(self.epochs + 1, self.config.epochs)

    def seconds_left(self, speed: float | None) -> float | None:
        """Return the seconds that its remaining steps take at `speed` images a second, if known."""
        if self.state != State.RUNNING or not speed:
            return None
        return (self.steps - self.step) * self.config.batch_size / speed

    def summary(self) -> dict[str, Any]:
        """Return the fields that the command line prints."""
        return {
            "run": self.id,
            "name": self.name,
            "state": str(self.state),
            "reason": self.reason,
            "epochs": self.epochs,
            "best_epoch": self.best_epoch,
            "validation_accuracy": self.validation_accuracy,
            "test_accuracy": self.test_accuracy,
            "train_seconds": self.train_seconds,
            "parameters": self.parameters,
            "device": self.device,
            "precision": self.precision,
            "data": self.data,
        }


def learns_from_all(config: TrainConfig, data: str) -> bool:
    """Return whether a run with these settings learns from all images that the data have for it."""
    wanted = sizes_of(data, config.validation_size, config.train_size)
    return config.train_size == 0 or (
        wanted is not None and wanted == sizes_of(data, config.validation_size, 0)
    )


def folder_of(run_id: str) -> Path:
    """Return the folder of a run's files on this machine."""
    return directory() / run_id / "artifacts"


def cleaned_name(name: str) -> str:
    """Return a name on one line, stripped. Raises RunError for an invalid name."""
    name = " ".join(name.split())
    if len(name) > NAME_LENGTH:
        raise RunError(
            f"The name is too long: {len(name):,} characters, and at most {NAME_LENGTH} are "
            "allowed. Shorten it."
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise RunError("The name contains control characters. Use letters, digits and punctuation.")
    return name


def read(entry: Any) -> Run:
    """Return MLflow's entry as a Run; a run whose process has died counts as failed.

    An invalid tag gets its default, without affecting others. An unknown state, from a newer
    version, counts as failed. Raises ConfigError if the settings are invalid.
    """
    tags, name = entry.data.tags, entry.info.run_name or entry.info.run_id
    metrics = {key: value for key, value in entry.data.metrics.items() if math.isfinite(value)}
    state, reason = _state(tags)
    seen = tuple(tags.get("seen", _seen_before_it_was_recorded(tags)).split())

    def whole(name: str) -> int | None:
        return None if name not in metrics else int(metrics[name])

    return Run(
        id=entry.info.run_id,
        name=name,
        state=state,
        reason=reason,
        warning=tags.get("warning", ""),
        config=_config(tags, name),
        recipe=tags.get("recipe", ""),
        author=tags.get("author", ""),
        host=tags.get("host", ""),
        started=(entry.info.start_time or 0) / 1000,
        data=tags.get("data", ""),
        data_checksum=tags.get("data_checksum", ""),
        device=tags.get("device", ""),
        precision=tags.get("precision", ""),
        versions={key: str(value) for key, value in _object(tags, "versions").items()},
        commit=tags.get("commit", ""),
        note=tags.get("mlflow.note.content", ""),
        steps=int(non_negative(tags, "steps")),
        step=whole("progress") or 0,
        epochs=whole("epochs") or 0,
        best_epoch=whole("best_epoch"),
        parameters=whole("parameters"),
        validation_accuracy=metrics.get("best_validation_accuracy"),
        last_validation_accuracy=metrics.get("epoch/validation_accuracy"),
        # The store still has the test accuracy from before a run was resumed; it is outdated.
        test_accuracy=metrics.get("test_accuracy") if state.is_final and not seen else None,
        train_seconds=metrics.get("train_seconds"),
        taught_from=tags.get("taught_from", ""),
        calibration=Calibration(metrics.get("temperature", 1.0), metrics.get("reading_sure_from")),
        seen=seen,
        taught_digits=int(non_negative(tags, "taught_digits")),
        sweep=tags.get("sweep", ""),
        owner=tags.get("owner", ""),
        imported=tags.get("imported", ""),
        labels=tuple(word for word in tags.get("labels", "").split(",") if word),
        pinned=bool(tags.get("pinned")),
        archived=bool(tags.get("archived")),
        recent=tags.get("recent", ""),
        trained_in=tags.get("trained_in", ""),
        kept=kept.read(tags.get(kept.TAG, "")),
    )


def _seen_before_it_was_recorded(tags: dict[str, str]) -> str:
    """Return the default of `seen` for runs of version 0.1, whose built-in parent learned MNIST."""
    taught = tags.get("taught_from") == BUILTIN and tags.get("data") != "mnist"
    return "mnist" if taught else ""


def _state(tags: dict[str, str]) -> tuple[State, str]:
    """Return a run's state and its reason."""
    word = tags.get("state", "")
    if word not in list(State):
        return State.FAILED, f"this version of Digit Lab does not know the state {word!r}"
    state = State(word)
    if not state.is_over and now() > non_negative(tags, "alive_until"):
        return State.FAILED, DIED
    return state, tags.get("reason", "")


def _config(tags: dict[str, str], name: str) -> TrainConfig:
    values = _object(tags, "config")
    if not values:
        raise ConfigError(
            f"The settings of the run {name} cannot be read: another program or another version of "
            "Digit Lab wrote them. Choose another run."
        )
    return config_from(values)


def non_negative(tags: dict[str, str], key: str) -> float:
    """Return a tag as a non-negative number; 0 for anything else."""
    try:
        number = float(tags.get(key, 0))
    except ValueError:
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0


def _object(tags: dict[str, str], key: str) -> dict[str, Any]:
    """Return a tag as a JSON object; an empty one for anything else."""
    try:
        content = json.loads(tags.get(key, ""))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}

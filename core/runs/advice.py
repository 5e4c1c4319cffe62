"""Advice on a finished run: what its result means, and one thing to try next."""

from dataclasses import dataclass, field
from typing import Any

from core.config import TrainConfig
from core.runs.formatting import percent
from core.runs.history import History
from core.runs.run import Run, State

# Learning rates at which each optimizer trains all networks here, from their recipes.
_USUAL = {"sgd": 0.01, "adam": 0.001, "adamw": 0.005, "adadelta": 1.0, "muon": 0.01}
_GUESSING = 0.2  # validation accuracy, below which the network is little better than chance
_BY_HEART = 0.04  # training accuracy above validation accuracy
_CLIMBING = 0.005  # gain in validation accuracy by the last epoch


@dataclass(frozen=True)
class Advice:
    """What a run's result means, and a button's label with the settings that it changes, if any."""

    meaning: str
    label: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


def advice(run: Run, history: History) -> Advice | None:
    """Return advice on a run that has finished or diverged; None for any other run."""
    config = run.config
    if run.state == State.DIVERGED:
        rate = min(config.learning_rate / 10, _USUAL[config.optimizer])
        return _slower("The steps were too large: the error grew instead of shrinking.", rate)
    if run.state != State.FINISHED or run.validation_accuracy is None:
        return None
    best = run.validation_accuracy
    epochs = history.epochs.dropna(subset=["train_accuracy", "validation_accuracy"])
    trained = [float(value) for value in epochs["train_accuracy"]]
    validated = [float(value) for value in epochs["validation_accuracy"]]
    if best < _GUESSING:
        return _guessing(config, best)
    if trained and trained[-1] - best > _BY_HEART:
        return _by_heart(run, trained[-1], best)
    if _still_climbing(validated, best):
        more = min(2 * config.epochs, 200)
        return Advice(
            f"It reads {percent(best)} of the validation images, and was still getting better when "
            "it ended.",
            *(f"Train for {more} epochs", {"epochs": more}),
        )
    if config.epochs >= 6 and run.best_epoch and run.best_epoch <= len(validated) / 2:
        return Advice(
            f"It was best after epoch {run.best_epoch}, and the {len(validated) - run.best_epoch} "
            "after it did not improve it.",
            *("Stop when it gets no better", {"patience": 3}),
        )
    return _well(config, best)


def _slower(meaning: str, rate: float) -> Advice:
    rate = float(f"{rate:.1g}")
    return Advice(meaning, f"Try a learning rate of {rate:g}", {"learning_rate": rate})


def _guessing(config: TrainConfig, best: float) -> Advice:
    meaning = f"It reads {percent(best)} of the digits: no better than guessing."
    usual = _USUAL[config.optimizer]
    if config.learning_rate > usual:
        return _slower(f"{meaning} The learning rate is too high.", usual)
    if config.learning_rate < usual:
        return _slower(f"{meaning} The learning rate is too low.", usual)
    more = min(4 * config.epochs, 200)
    return Advice(meaning, f"Train for {more} epochs", {"epochs": more})


def _by_heart(run: Run, trained: float, best: float) -> Advice:
    config = run.config
    meaning = (
        f"It has learned its images by heart: it reads {percent(trained)} of those, and only "
        f"{percent(best)} of others. The field calls this overfitting."
    )
    if not run.learns_from_all:
        return Advice(meaning, "Learn from all images", {"train_size": 0})
    if not (config.shift or config.rotation):
        changes = {"shift": 2, "rotation": 10, "scale": 0.1}
        return Advice(meaning, "Move and turn the images", changes)
    if not config.dropout:
        return Advice(meaning, "Switch off half of its features (dropout)", {"dropout": 0.5})
    return Advice(meaning)


def _still_climbing(validated: list[float], best: float) -> bool:
    if len(validated) == 1:
        return best < 0.95
    return len(validated) > 1 and validated[-1] - validated[-2] > _CLIMBING


def _well(config: TrainConfig, best: float) -> Advice:
    missed = "none" if best == 1 else f"1 in {round(1 / (1 - best)):,}"
    meaning = (
        f"It reads {percent(best)} of the validation images, which it never learned from: "
        f"{missed} is misread."
    )
    if config.network == "mlp":
        return Advice(meaning, "Try a network with convolutions", {"network": "fast_cnn"})
    if not (config.shift or config.rotation):
        return Advice(meaning, "Move the images a little while it learns", {"shift": 2})
    more = min(2 * config.epochs, 200)
    return Advice(meaning, f"Train for {more} epochs", {"epochs": more})

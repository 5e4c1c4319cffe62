"""Predict a run's time and accuracy from finished runs on this machine."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from core.config import TrainConfig
from core.recipes import Recipe
from core.runs.run import Run, State

_RECENT = 5  # runs whose median is taken, since the machine may have been busy or have changed


@dataclass(frozen=True)
class Met:
    """The results of a recipe on this machine: medians over `runs`; test accuracy in [0, 1]."""

    test_accuracy: float
    seconds: float
    runs: int


def of_recipe(recipe: Recipe, data: str, listed: Sequence[Run]) -> Met | None:
    """Return the results of the newest finished runs of an unchanged recipe on this machine."""
    wanted = _but_the_seed(recipe.config)
    found = [
        (run.test_accuracy, run.train_seconds)
        for run in _finished_here(listed)
        if run.data == data and _but_the_seed(run.config) == wanted
        if run.test_accuracy is not None and run.train_seconds
    ][:_RECENT]
    if not found:
        return None
    accuracies, seconds = zip(*found, strict=True)
    return Met(median(accuracies), median(seconds), len(found))


def seconds(config: TrainConfig, data: str, images: int, listed: Sequence[Run]) -> float | None:
    """Predict a run's seconds from finished runs on this machine with the same work per step.

    `images` is how many it learns from. If there are runs on the same data with as many images,
    only those count, since short epochs cost more per image. None if there is no such run.
    """
    steps = config.epochs * -(-images // config.batch_size)
    alike = [
        run
        for run in _finished_here(listed)
        if run.step and run.train_seconds and _work(run.config) == _work(config)
    ]
    closest = [
        run for run in alike if (run.data, run.config.train_size) == (data, config.train_size)
    ]
    rates = [(run.train_seconds or 0) / run.step for run in (closest or alike)[:_RECENT]]
    return median(rates) * steps if rates else None


def _finished_here(listed: Sequence[Run]) -> list[Run]:
    """Return the finished runs of this machine, newest first, as they are listed."""
    here = platform.node()
    return [run for run in listed if run.state == State.FINISHED and run.host == here]


def _but_the_seed(config: TrainConfig) -> dict[str, Any]:
    return {name: value for name, value in config.to_dict().items() if name != "seed"}


def _work(config: TrainConfig) -> tuple[object, ...]:
    """Return the settings that the time of a step depends on."""
    drawn = config.rotation, config.shift, config.scale, config.shear, config.aspect
    return (
        *(config.network, config.width, config.batch_size, config.precision, config.device),
        *(config.reading_shift > 0, config.small_share, any(drawn)),
        *(config.elastic > 0, config.thickness > 0),
    )

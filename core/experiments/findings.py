"""What follows from the runs of an experiment, in the form that its `shows` asks for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from core.data.digits import Digits
from core.experiments.course import Bars, Finding, Tiles
from core.experiments.definition import Experiment, Part

_SHOWN = 4  # digits before and after shuffling


@dataclass(frozen=True, eq=False)
class Trained:
    """A run with the network of its best epoch so far.

    `probabilities (V, 10)` are its answers for its validation images, of which it reads the share
    `validation`; `digits` are those that it was given.
    """

    part: Part
    network: nn.Sequential
    probabilities: NDArray[np.float32]
    validation: float
    digits: Digits


def of(experiment: Experiment, done: list[Trained], digits: Digits) -> list[Finding]:
    """Return the findings from the runs that are done, in the order in which they are shown."""
    return _SHOWS[experiment.shows](done, digits) if done else []


def _curves(done: list[Trained], digits: Digits) -> list[Finding]:
    """Return what the networks were given where pixels were shuffled; else the curves say all."""
    found = [run for run in done if run.part.shuffled]
    if not found:
        return []
    plain, mixed = digits.train_images[:_SHOWN], found[0].digits.train_images[:_SHOWN]
    labels = [str(label) for label in digits.train_labels[:_SHOWN]]
    captions = [*labels, *(f"{label}, shuffled" for label in labels)]
    images = np.concatenate([plain, mixed]).tolist()
    return [
        Bars(
            "Read correctly, of the validation images",
            [run.part.name for run in done],
            {"": [run.validation for run in done]},
        ),
        Tiles("What the networks are given", images, captions),
    ]


# Has a function for each of definition.SHOWS.
_SHOWS: dict[str, Callable[[list[Trained], Digits], list[Finding]]] = {"curves": _curves}

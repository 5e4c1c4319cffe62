"""The events that the training loop yields: Started, then Steps and Epochs, then one Ended.

Between them come Moments of `core.training.forming`: the weights at chosen steps, from step 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.training import device
from core.training.checkpoint import Checkpoint
from core.training.forming import Moment


@dataclass(frozen=True)
class Started:
    """Training is about to start: `steps` in total, of which `done` were made before a resume."""

    steps: int
    steps_per_epoch: int
    done: int
    parameters: int
    device: device.Device


@dataclass(frozen=True)
class Step:
    """Every few steps: the loss and accuracy in [0, 1] over the images since the last report."""

    step: int  # counted from 1
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float


@dataclass(frozen=True)
class Epoch:
    """An epoch is complete. Accuracies are in [0, 1]; seconds include validation.

    `probabilities (V, 10)` are for the validation images, in the order of `Split.validation`.
    """

    epoch: int  # counted from 1
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    total_seconds: float
    is_best: bool
    checkpoint: Checkpoint
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Ended:
    """The last event. `state` is finished, stopped or diverged; `reason` is shown to the user."""

    state: str
    reason: str


Event = Started | Step | Moment | Epoch | Ended

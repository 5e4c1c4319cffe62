"""`train(config, digits)`: the training loop, as a generator of events.

The command line, the worker and the tests all drain this one generator. It writes nothing: what
should be kept is in the events.
"""

import copy
import ctypes
import math
import platform
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from core import device, models
from core.batches import TrainingBatches
from core.checkpoint import Checkpoint, load_weights
from core.config import TrainConfig, config_from
from core.data import Digits, split_for
from core.errors import CheckpointError
from core.evaluate import score
from core.predict import autocast, probabilities
from core.schedule import rate_factor

_REPORTS_PER_EPOCH = 40


@dataclass(frozen=True)
class Started:
    """The run is about to take its first step; `steps` in all, `done` of them before a resume."""

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
    """An epoch is complete. Accuracies are in [0, 1], seconds include validation.

    `probabilities` are the validation images', `(V, 10)`, in the order of `Split.validation`.
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
    """Nothing follows. `state` is finished, stopped or diverged; `reason` is for a person."""

    state: str
    reason: str


Event = Started | Step | Epoch | Ended


class _Interrupted(Exception):  # noqa: N818  # a way out of the loop, not an error
    """The run ends early, with this Ended."""

    def __init__(self, state: str, reason: str) -> None:
        self.ended = Ended(state, reason)


def train(
    config: TrainConfig,
    digits: Digits,
    *,
    start: Checkpoint | None = None,
    extra: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None,
    resume: Checkpoint | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train a network; yield a Started, then Steps and Epochs, then one Ended.

    The first weights are those of `start`, if given, and `extra`, images `(M, 28, 28)` and labels,
    are learned from too. `should_stop` is asked after every step. With `resume`, training continues
    after that checkpoint's epoch, to the same numbers as if it had never stopped (on the same CPU).

    Torch's global generator is seeded, since initial weights and dropout draw from no other; two
    trainings should not take turns in one process.

    Raises DeviceError, or CheckpointError if `resume` is of another configuration, or `start` of
    another network.
    """
    _keep_freed_memory()
    where = device.choose(config.device, config.precision)
    split = split_for(digits, config.validation_size, config.train_size, config.seed)
    learner = _Learner(config, torch.device(where.kind), start)
    images, labels = digits.train_images[split.train], digits.train_labels[split.train]
    if extra:
        images, labels = np.concatenate([images, extra[0]]), np.concatenate([labels, extra[1]])
    batches = TrainingBatches(images, labels, config, torch.device(where.kind), learner.generator)
    learner.schedule(len(batches))
    done, best_epoch, best_accuracy, earlier_seconds = 0, 0, -1.0, 0.0
    if resume:
        learner.restore(resume)
        done, best_epoch = resume["epoch"], resume["best_epoch"]
        best_accuracy, earlier_seconds = resume["best_accuracy"], resume["train_seconds"]

    steps, parameters = config.epochs * len(batches), models.parameter_count(learner.model)
    yield Started(steps, len(batches), done * len(batches), parameters, where)
    begin = time.perf_counter() - earlier_seconds
    try:
        for epoch in range(done + 1, config.epochs + 1):
            epoch_begin = time.perf_counter()
            train_loss, train_accuracy, rate = yield from _one_epoch(
                learner, batches, epoch, where.precision, should_stop
            )
            validation = probabilities(
                learner.reader, digits.train_images[split.validation], config, where.precision
            )
            loss, accuracy = score(validation, digits.train_labels[split.validation])
            if not math.isfinite(loss):
                raise _Interrupted("diverged", _divergence(epoch * len(batches), rate))
            # Of equals the later: it has learned more, where the rate falls at a lower one.
            if is_best := accuracy >= best_accuracy:
                best_epoch, best_accuracy = epoch, accuracy
            now = time.perf_counter()
            yield Epoch(
                *(epoch, train_loss, train_accuracy, loss, accuracy, rate),
                *(now - epoch_begin, now - begin, is_best),
                learner.checkpoint(epoch, best_epoch, best_accuracy, now - begin),
                validation,
            )
            if 0 < config.patience <= epoch - best_epoch:
                reason = f"validation accuracy below the best for {config.patience} epochs"
                raise _Interrupted("finished", reason)
        yield Ended("finished", "")
    except _Interrupted as interruption:
        yield interruption.ended


def _keep_freed_memory() -> None:
    """Let glibc keep what one step frees for the next, rather than give it back each time.

    Getting the activations' pages anew took a sixth of a step of `fast_cnn` on a CPU. The
    parameters and their bounds are those of glibc's mallopt(3).
    """
    if platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3
        library = ctypes.CDLL(None)
        library.mallopt(mmap_threshold, 32 << 20)
        library.mallopt(trim_threshold, 1 << 30)


def _one_epoch(
    learner: "_Learner",
    batches: TrainingBatches,
    epoch: int,
    precision: str,
    should_stop: Callable[[], bool],
) -> Generator[Step, None, tuple[float, float, float]]:
    """Yield Steps; return the epoch's mean loss, accuracy and last learning rate."""
    model, config = learner.model, learner.config
    meter = _Meter()
    report_every = max(1, len(batches) // _REPORTS_PER_EPOCH)
    model.train()
    for step, (images, labels) in enumerate(batches, (epoch - 1) * len(batches) + 1):
        rate = float(learner.scheduler.get_last_lr()[0])
        if step <= config.small_share * config.epochs * len(batches):
            images = F.avg_pool2d(images, 2)
        with autocast(labels.device, precision):
            logits = model(images).float()
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
        learner.step(loss)
        meter.add(loss.detach(), logits.detach(), labels)
        if step == 1 or step % report_every == 0 or step == epoch * len(batches):
            yield meter.report(step, rate)
        if should_stop():
            raise _Interrupted("stopped", f"stopped in epoch {epoch} of {config.epochs}")
    return *meter.means(), rate


class _Meter:
    """Loss and accuracy since the last report, and over the epoch.

    Only a report waits for the device.
    """

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.correct: list[Tensor] = []
        self.sizes: list[int] = []
        self.reported = 0
        self.time = time.perf_counter()

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self.losses.append(loss)
        self.correct.append((logits.argmax(1) == labels).sum())
        self.sizes.append(len(labels))

    def report(self, step: int, rate: float) -> Step:
        """Return what happened since the last report. Raises _Interrupted on a loss not finite."""
        losses = torch.stack(self.losses[self.reported :]).cpu()
        if not losses.isfinite().all():
            first = step - len(losses) + 1 + int(losses.isfinite().int().argmin())
            raise _Interrupted("diverged", _divergence(first, rate))
        sizes = torch.tensor(self.sizes[self.reported :])
        correct = torch.stack(self.correct[self.reported :]).sum().item()
        images, now = int(sizes.sum()), time.perf_counter()
        self.reported, self.time, seconds = len(self.losses), now, now - self.time
        mean = float((losses * sizes).sum() / images)
        return Step(step, mean, correct / images, rate, images / seconds)

    def means(self) -> tuple[float, float]:
        """Return the mean loss and the accuracy of all that was added."""
        sizes = torch.tensor(self.sizes)
        losses = torch.stack(self.losses).cpu()
        correct = torch.stack(self.correct).sum().item()
        return float((losses * sizes).sum() / sizes.sum()), correct / int(sizes.sum())


def _divergence(step: int, rate: float) -> str:
    return (
        f"the loss is no longer a finite number at step {step:,}, "
        f"at a learning rate of {rate:.3g}. Lower the learning rate"
    )


class _Learner:
    """What learns: the network, its optimiser and schedule, and the source of randomness."""

    def __init__(self, config: TrainConfig, place: torch.device, start: Checkpoint | None) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.generator = torch.Generator().manual_seed(config.seed)
        self.model = models.build(config)
        if start:
            load_weights(self.model, start)
        self.model.to(place).to(memory_format=torch.channels_last)
        self.reader = copy.deepcopy(self.model) if config.ema else self.model
        self.optimizer = _optimizer(self.model, config)

    def schedule(self, steps_per_epoch: int) -> None:
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: rate_factor(self.config, step, steps_per_epoch)
        )

    def step(self, loss: Tensor) -> None:
        """Learn from the loss of one batch."""
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        self.optimizer.step()
        self.scheduler.step()
        if self.reader is not self.model:
            average(self.reader, self.model, self.config.ema, self.scheduler.last_epoch)

    def checkpoint(
        self, epoch: int, best_epoch: int, best_accuracy: float, seconds: float
    ) -> Checkpoint:
        """Return a copy of everything, on the CPU's side of later steps."""
        random_state = {"torch": torch.get_rng_state(), "batches": self.generator.get_state()}
        if torch.cuda.is_available():
            random_state["cuda"] = torch.cuda.get_rng_state()
        content = Checkpoint(
            config=self.config.to_dict(),
            epoch=epoch,
            best_epoch=best_epoch,
            best_accuracy=best_accuracy,
            train_seconds=seconds,
            model_state_dict=self.reader.state_dict(),
            optimizer_state_dict=self.optimizer.state_dict(),
            scheduler_state_dict=self.scheduler.state_dict(),
            random_state=random_state,
        )
        if self.reader is not self.model:
            content["raw_state_dict"] = self.model.state_dict()
        return copy.deepcopy(content)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint of the same configuration. Raises CheckpointError."""
        if config_from(checkpoint["config"]) != self.config:
            raise CheckpointError(
                "The checkpoint was made with another configuration. "
                "Resume with the run's own, or start a new run."
            )
        load_weights(self.reader, checkpoint)
        try:
            if self.reader is not self.model:
                self.model.load_state_dict(checkpoint["raw_state_dict"])
            self.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
            self.scheduler.load_state_dict(checkpoint["scheduler_state_dict"])
            torch.set_rng_state(checkpoint["random_state"]["torch"])
            self.generator.set_state(checkpoint["random_state"]["batches"])
            if torch.cuda.is_available():
                torch.cuda.set_rng_state(checkpoint["random_state"]["cuda"])
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise CheckpointError(
                f"The checkpoint cannot be resumed: {error}. Start a new run."
            ) from error


@torch.no_grad()
def average(mean: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move `mean`'s weights and running statistics towards `model`'s, after a step, from 1.

    The first steps count for more, so that the initial weights are soon forgotten: decay is at most
    (1 + step) / (10 + step), as TensorFlow's ExponentialMovingAverage has it.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    for old, new in zip(mean.state_dict().values(), model.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, share)
        else:
            old.copy_(new)


def _optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    parameters, rate, decay = model.parameters(), config.learning_rate, config.weight_decay
    betas = (0.9, config.beta2)
    match config.optimizer:
        case "sgd":
            return torch.optim.SGD(
                parameters, rate, config.momentum, weight_decay=decay, fused=True
            )
        case "adam":
            return torch.optim.Adam(parameters, rate, betas, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(parameters, rate, betas, weight_decay=decay, fused=True)
        case _:
            return torch.optim.Adadelta(parameters, rate, weight_decay=decay)

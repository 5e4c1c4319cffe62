"""`train(config, digits)`: the training loop, as a generator of events.

The command line, the worker and the tests all consume this one generator. It writes nothing:
everything to keep is in the events.
"""

import ctypes
import math
import platform
import time
from collections.abc import Callable, Generator, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.config import TrainConfig
from core.data.digits import Digits
from core.data.splits import Split, split_for
from core.errors import ConfigError
from core.evaluation.metrics import score
from core.training import device, forming, networks
from core.training.batches import TrainingBatches
from core.training.checkpoint import Checkpoint
from core.training.events import Ended, Epoch, Event, Started, Step
from core.training.forming import Moment
from core.training.hardness import Hardness
from core.training.inference import autocast, probabilities
from core.training.learner import Learner

_REPORTS_PER_EPOCH = 40


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
    left_out: NDArray[np.int64] | None = None,
    ranks: NDArray[np.float64] | None = None,
    resume: Checkpoint | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train a network; yield a Started, then Steps, Moments and Epochs, then one Ended.

    Args:
        config: the settings.
        digits: the data.
        start: a checkpoint whose weights are the initial ones.
        extra: images `(M, 28, 28)` and labels to learn from in addition.
        left_out: indices of training images not to learn from; validation does not change.
        ranks: `(N,)`; if not all training images are learned from, those with the lowest are taken.
        resume: a checkpoint to continue from, with the same results as if training had never
            stopped (on the same CPU).
        should_stop: called after every step; training stops if it returns True.

    Torch's global generator is seeded, since initial weights and dropout always use it. So two
    trainings must not alternate in one process without saving its state.

    Raises DeviceError, ConfigError if there are fewer than 2 images to learn from, and
    CheckpointError if `resume` has another configuration or `start` another network.
    """
    _keep_freed_memory()
    where = device.choose(config.device, config.precision)
    split = split_for(digits, config.validation_size, config.train_size, config.seed, ranks)
    if left_out is not None:
        split = split.without(left_out)
    learner = Learner(config, torch.device(where.kind), start)
    batches = _training_batches(learner, digits, split, extra, torch.device(where.kind))
    learner.schedule(len(batches))
    if config.hardness:
        learner.hardness = Hardness(len(digits.train_labels), split.train)
    if resume:
        learner.restore(resume)
    done = resume["epoch"] if resume else 0
    steps, parameters = config.epochs * len(batches), networks.parameter_count(learner.model)
    yield Started(steps, len(batches), done * len(batches), parameters, where)
    if not done:
        yield learner.moment(0)
    try:
        yield from _epochs(learner, batches, digits, split, where.precision, resume, should_stop)
        yield Ended("finished", "")
    except _Interrupted as interruption:
        yield interruption.ended


def _epochs(
    learner: Learner,
    batches: TrainingBatches,
    digits: Digits,
    split: Split,
    precision: str,
    resume: Checkpoint | None,
    should_stop: Callable[[], bool],
) -> Iterator[Step | Moment | Epoch]:
    """Train the remaining epochs, and validate after each. Raises _Interrupted."""
    config = learner.config
    done, best_epoch, best_accuracy, earlier_seconds = 0, 0, -1.0, 0.0
    if resume:
        done, best_epoch = resume["epoch"], resume["best_epoch"]
        best_accuracy, earlier_seconds = resume["best_accuracy"], resume["train_seconds"]
    kept = forming.moments(len(batches), config.epochs, learner.reader)
    begin = time.perf_counter() - earlier_seconds
    for epoch in range(done + 1, config.epochs + 1):
        epoch_begin = time.perf_counter()
        train_loss, train_accuracy, rate = yield from _one_epoch(
            learner, batches, epoch, precision, kept, should_stop
        )
        validation = probabilities(
            learner.reader, digits.train_images[split.validation], config, precision
        )
        loss, accuracy = score(validation, digits.train_labels[split.validation])
        if not math.isfinite(loss):
            raise _Interrupted("diverged", _divergence(epoch * len(batches), rate))
        # Of equal epochs, the later is better: it has learned more, at a lower learning rate.
        if is_best := accuracy >= best_accuracy:
            best_epoch, best_accuracy = epoch, accuracy
        now = time.perf_counter()
        yield Epoch(
            epoch=epoch,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=loss,
            validation_accuracy=accuracy,
            learning_rate=rate,
            seconds=now - epoch_begin,
            total_seconds=now - begin,
            is_best=is_best,
            checkpoint=learner.checkpoint(epoch, best_epoch, best_accuracy, now - begin),
            probabilities=validation,
        )
        if 0 < config.patience <= epoch - best_epoch:
            epochs = "an epoch" if config.patience == 1 else f"{config.patience} epochs"
            reason = f"validation accuracy below the best for {epochs}"
            raise _Interrupted("finished", reason)


def _training_batches(
    learner: Learner,
    digits: Digits,
    split: Split,
    extra: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None,
    place: torch.device,
) -> TrainingBatches:
    """Return the batches of a split's training images and of `extra`. Raises ConfigError."""
    images, labels = digits.train_images[split.train], digits.train_labels[split.train]
    if extra:
        images, labels = np.concatenate([images, extra[0]]), np.concatenate([labels, extra[1]])
    batches = TrainingBatches(images, labels, learner.config, place, learner.generator)
    if not len(batches) or not len(split.validation):
        raise ConfigError(
            f"train_size and validation_size leave {len(labels)} images to learn from and "
            f"{len(split.validation)} to choose the best epoch with. At least 2 and 1 are needed: "
            "set train_size to 0 for all, or higher."
        )
    return batches


def _keep_freed_memory() -> None:
    """Let glibc reuse the memory that a step frees, instead of returning it to the system.

    Requesting the activations' memory from the system took a sixth of each step of `fast_cnn` on a
    CPU. The parameters and their bounds are those of glibc's mallopt(3).
    """
    if platform.libc_ver()[0] == "glibc":
        trim_threshold, mmap_threshold = -1, -3
        library = ctypes.CDLL(None)
        library.mallopt(mmap_threshold, 32 << 20)
        library.mallopt(trim_threshold, 1 << 30)


def _one_epoch(
    learner: Learner,
    batches: TrainingBatches,
    epoch: int,
    precision: str,
    kept: frozenset[int],
    should_stop: Callable[[], bool],
) -> Generator[Step | Moment, None, tuple[float, float, float]]:
    """Yield Steps, and a Moment after each step of `kept`.

    Return the epoch's mean loss, accuracy and last learning rate.
    """
    model, config = learner.model, learner.config
    meter = _Meter()
    report_every = max(1, len(batches) // _REPORTS_PER_EPOCH)
    model.train()
    for step, (images, labels) in enumerate(batches, (epoch - 1) * len(batches) + 1):
        rate = learner.rate
        if step <= config.small_share * config.epochs * len(batches):
            images = F.avg_pool2d(images, 2)
        with autocast(labels.device, precision):
            logits = model(images).float()
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
        learner.step(loss)
        meter.add(loss.detach(), logits.detach(), labels)
        if step == 1 or step % report_every == 0 or step == epoch * len(batches):
            yield meter.report(step, rate)
        if step in kept:
            yield learner.moment(step)
        if should_stop():
            raise _Interrupted("stopped", f"in epoch {epoch} of {config.epochs}")
    if learner.hardness:
        learner.hardness.add(batches.order, torch.cat(meter.right).cpu(), epoch)
    return *meter.means(), rate


class _Meter:
    """The loss and accuracy since the last report, and over the epoch.

    Only `report` and `means` wait for the device.
    """

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.right: list[Tensor] = []
        self.sizes: list[int] = []
        self.reported = 0
        self.time = time.perf_counter()

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        self.losses.append(loss)
        self.right.append(logits.argmax(1) == labels)
        self.sizes.append(len(labels))

    def report(self, step: int, rate: float) -> Step:
        """Return the means since the last report. Raises _Interrupted if a loss is not finite."""
        losses = torch.stack(self.losses[self.reported :]).cpu()
        if not losses.isfinite().all():
            first = step - len(losses) + 1 + int(losses.isfinite().int().argmin())
            raise _Interrupted("diverged", _divergence(first, rate))
        sizes = torch.tensor(self.sizes[self.reported :])
        correct = torch.cat(self.right[self.reported :]).sum().item()
        images, now = int(sizes.sum()), time.perf_counter()
        self.reported, self.time, seconds = len(self.losses), now, now - self.time
        mean = float((losses * sizes).sum() / images)
        return Step(step, mean, correct / images, rate, images / seconds)

    def means(self) -> tuple[float, float]:
        """Return the mean loss and the accuracy over everything that was added."""
        sizes = torch.tensor(self.sizes)
        losses = torch.stack(self.losses).cpu()
        correct = torch.cat(self.right).sum().item()
        return float((losses * sizes).sum() / sizes.sum()), correct / int(sizes.sum())


def _divergence(step: int, rate: float) -> str:
    return (
        f"the loss is no longer a finite number at step {step:,}, "
        f"at a learning rate of {rate:.3g}. Lower the learning rate"
    )

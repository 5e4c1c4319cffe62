"""Out-of-fold probabilities: each digit is read by networks that did not learn from it."""

from collections.abc import Generator, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from core.config import TrainConfig
from core.data.digits import Digits
from core.errors import DataError
from core.training import checkpoint, device
from core.training.checkpoint import Checkpoint
from core.training.events import Ended, Epoch, Started, Step
from core.training.inference import probabilities
from core.training.loop import train

FOLDS = 5


def out_of_fold(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    config: TrainConfig,
    seeds: Sequence[int] = (0,),
) -> Generator[float, None, NDArray[np.float32]]:
    """Yield the share done, in [0, 1]; return the `(N, 10)` probabilities of `(N, 28, 28)` images.

    Each image is read by the network that learned from the other folds. Each of `seeds` has its own
    folds and initial weights, and the probabilities are means over the seeds. The last epoch's
    network is used, so that no label of its own fold influences it.

    Raises DataError if a training ends early, and what `train` raises.
    """
    total = np.zeros((len(labels), 10), np.float32)
    for number, (seed, fold) in enumerate(product(seeds, range(FOLDS))):
        held = fold_numbers(labels, seed) == fold
        seeded = config.changed({"seed": seed})
        share = yield from _one_fold(images, labels, held, seeded, number, FOLDS * len(seeds))
        total[held] += share
    return total / np.float32(len(seeds))


def fold_numbers(labels: NDArray[np.uint8], seed: int) -> NDArray[np.int64]:
    """Return the fold of each image, `(N,)`, with each digit spread evenly over the folds."""
    numbers = np.empty(len(labels), np.int64)
    order = np.random.default_rng(seed).permutation(len(labels))
    by_digit = order[np.argsort(labels[order], kind="stable")]
    numbers[by_digit] = np.arange(len(labels)) % FOLDS
    return numbers


def _one_fold(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    held: NDArray[np.bool_],
    config: TrainConfig,
    number: int,
    count: int,
) -> Generator[float, None, NDArray[np.float32]]:
    """Train on all but one fold, number `number` of `count`; return that fold's probabilities."""
    others = Digits("fold", images[~held], labels[~held], images[:0], labels[:0])
    where, steps = device.choose(config.device, config.precision), 1
    last: Checkpoint | None = None
    for event in train(config, others):
        match event:
            case Started():
                steps = event.steps
            case Step():
                yield (number + event.step / (steps + 1)) / count  # one more step for the reading
            case Epoch():
                last = event.checkpoint
            case Ended():
                ended = event
    if last is None or ended.state != "finished":
        raise DataError(
            f"The labels could not be judged: a training {ended.state}, {ended.reason}."
        )
    network = checkpoint.network(last).to(torch.device(where.kind))
    read = probabilities(
        network.to(memory_format=torch.channels_last), images[held], config, where.precision
    )
    yield (number + 1) / count
    return read

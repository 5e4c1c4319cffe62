"""Fine-tune a run for some seconds, as a new run, on MNIST mixed with my digits."""

import shutil

import numpy as np
from numpy.typing import NDArray

from core.config import TrainConfig
from core.errors import RunError, StoreError
from core.jobs import queue, request
from core.my_digits import collection
from core.my_digits.collection import Collection
from core.runs import answers, catalogue, files
from core.runs.person import OWNER, Person
from core.runs.run import NAME_LENGTH, Run, State

NOT_IN_DEMO = (
    "Networks cannot be taught in the public demo: your digits stay in your session, and others "
    "would see the network made from them. Download them, and teach one on your own machine."
)
_IMAGES = 10_000  # MNIST images to learn from
_SHARE = 0.2  # the share of my digits, which are repeated, among the training images
_REPEATS = 50  # how often a digit is repeated at most
_SLOWER = 0.1  # factor for the learning rate, so that the network does not forget


def start(parent: Run, by: Person = OWNER) -> Run:
    """Request the run that fine-tunes `parent` on a person's digits, and start its process.

    If the parent learned from another data set, the new run may know the validation and test
    images, and is not tested. Raises StoreError, and RunError if there are no digits, if the parent
    has no network, or if the person's digits must not be written to the disk.
    """
    if by.shelf is not None:
        raise RunError(NOT_IN_DEMO)
    if parent.why_sealed:
        raise RunError(parent.why_sealed)
    digits = collection.load_some(by.digits)
    best = files.path(parent, files.BEST)
    name = f"{parent.name[: NAME_LENGTH - 8]}, taught"
    source, count = answers.source_for(parent), len(digits.labels)
    run = request.enqueue(settings(parent.config), source, parent.recipe, name, parent, count, by)
    images, labels = repeated(digits)
    try:
        shutil.copyfile(best, run.folder / files.START)
        np.savez_compressed(run.folder / files.EXTRA, images=images, labels=labels)
    except OSError as error:
        queue.leave(queue.folder_for(run.config), run.id)
        failed = f"The digits to learn could not be written to {run.folder}: {error.strerror}. "
        failed += "Free some space, or set DIGITLAB_RUNS to another folder."
        catalogue.move(run.id, State.FAILED, failed)
        raise StoreError(failed) from error
    request.launch(run)
    return run


def settings(config: TrainConfig) -> TrainConfig:
    """Return the settings for fine-tuning a network that was trained with `config`."""
    return config.changed(
        {
            "epochs": 1,
            "train_size": min(config.train_size or _IMAGES, _IMAGES),
            "learning_rate": max(config.learning_rate * _SLOWER, 1e-6),
            "schedule": "cosine",
            "small_share": 0,
            "patience": 0,
        }
    )


def repeated(digits: Collection) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images and labels, repeated to make up _SHARE, at most _REPEATS times."""
    wanted = _IMAGES * _SHARE / (1 - _SHARE)
    times = int(np.clip(wanted // len(digits.labels), 1, _REPEATS))
    return np.tile(digits.images, (times, 1, 1)), np.tile(digits.labels, times)

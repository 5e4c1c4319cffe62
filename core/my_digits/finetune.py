"""Teach a run my digits: it goes on learning for some seconds, as a new run, on MNIST and them."""

import shutil

import numpy as np
from numpy.typing import NDArray

from core.config import TrainConfig
from core.jobs import request
from core.my_digits import collection
from core.my_digits.collection import Collection
from core.runs import answers, files
from core.runs.run import NAME_LENGTH, Run

_IMAGES = 10_000  # of MNIST
_SHARE = 0.2  # of what is learned from that my digits make up, if they need not be repeated
_REPEATS = 50  # more often than that
_SLOWER = 0.1  # of the learning rate: to change what it knows, not to start over


def start(parent: Run) -> Run:
    """Ask for the run that learns my digits, and start its process.

    Where the run learned from other data than those here, its child may know their validation and
    test images: its test set stays unread. Raises RunError if there are no digits, or the run has
    no network; StoreError.
    """
    digits = collection.load_some()
    best = files.path(parent, "best.pt")
    name = f"{parent.name[: NAME_LENGTH - 8]}, taught"
    source, count = answers.source_for(parent), len(digits.labels)
    run = request.enqueue(settings(parent.config), source, parent.recipe, name, parent, count)
    shutil.copyfile(best, run.folder / files.START)
    images, labels = repeated(digits)
    np.savez_compressed(run.folder / files.EXTRA, images=images, labels=labels)
    request.launch(run)
    return run


def settings(config: TrainConfig) -> TrainConfig:
    """Return the settings with which a network trained with `config` goes on."""
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
    """Return images and labels so often that they make up _SHARE, or _REPEATS times each."""
    wanted = _IMAGES * _SHARE / (1 - _SHARE)
    times = int(np.clip(wanted // len(digits.labels), 1, _REPEATS))
    return np.tile(digits.images, (times, 1, 1)), np.tile(digits.labels, times)

"""Judge the labels of a data set in this process, once the device is free.

python -m core.jobs.judge SOURCE
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from core.data import mnist
from core.data.digits import Digits
from core.errors import UserError
from core.evaluation import labels as ranking
from core.jobs import labels, process, queue
from core.jobs.labels import Judgment, Work

_EVERY = 0.5  # seconds between two reports of progress


def judge(digits: Digits, report: Callable[[float], None]) -> None:
    """Train the folds and save their answers; `report` is called with the share done, in [0, 1].

    Raises what the training raises, and StoreError if the result cannot be saved.
    """
    from core.training.folds import out_of_fold  # loads torch: not while it waits

    images = np.concatenate([digits.train_images, digits.test_images])
    truth = np.concatenate([digits.train_labels, digits.test_labels])
    begun = time.monotonic()
    folds = out_of_fold(images, truth, labels.recipe(len(truth)), labels.SEEDS)
    while True:
        try:
            report(next(folds))
        except StopIteration as end:
            quality = ranking.quality(end.value, truth)
            found = Judgment(end.value, quality, time.monotonic() - begun)
            labels.keep(digits.checksum, found)
            return


def in_turn(digits: Digits) -> None:
    """Judge the labels once the device is free, and report the progress.

    A failure is reported, and raised again.
    """
    checksum = digits.checksum
    last = 0.0

    def waiting() -> bool:
        labels.alive(checksum)
        return False

    def report(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > _EVERY:
            labels.tell(checksum, Work(share, waits=False))
            last = time.monotonic()

    try:
        with queue.turn(queue.folder_for(labels.recipe(0)), f"{labels.TICKET}{checksum}", waiting):
            judge(digits, report)
    except UserError as error:
        labels.tell(checksum, Work(problem=str(error)))
        raise


if __name__ == "__main__":
    sys.exit(process.status_of(lambda: in_turn(mnist.load(sys.argv[1]))))

"""All 70,000 labels judged: seconds, and the known errors found.

    python -m benchmarks.labels [--repetitions N]

The 15 test labels that people judged wrong are labelerrors.com's (Northcutt et al., Pervasive
Label Errors in Test Sets, 2021). A rank is among the 10,000 test images, from 1.
"""

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import keep, machine, need_mnist, seconds, table
from core.data import mnist
from core.evaluation.labels import METHOD, METHODS, quality
from core.jobs import labels
from core.training.folds import out_of_fold

WRONG = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)


def ranks_of(wanted: tuple[int, ...], qualities: NDArray[np.float64]) -> list[int]:
    """Return the ranks of some images, ascending; rank 1 is the lowest quality."""
    order = np.argsort(qualities, kind="stable")
    return sorted(int(np.flatnonzero(order == one)[0]) + 1 for one in wanted)


def judged(
    images: NDArray[np.uint8], truth: NDArray[np.uint8], repetitions: int
) -> tuple[NDArray[np.float32], float, float]:
    """Return the out-of-fold probabilities, the seconds they took, and the processor's seconds."""
    begun, used = time.perf_counter(), time.process_time()
    folds = out_of_fold(images, truth, labels.recipe(len(truth)), repetitions)
    while True:
        try:
            next(folds)
        except StopIteration as end:
            return end.value, time.perf_counter() - begun, time.process_time() - used


def main() -> None:
    """Measure, keep and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=labels.REPETITIONS)
    repetitions = parser.parse_args().repetitions
    need_mnist()
    digits = mnist.load("mnist")
    images = np.concatenate([digits.train_images, digits.test_images])
    truth = np.concatenate([digits.train_labels, digits.test_labels])
    probabilities, took, used = judged(images, truth, repetitions)
    first_test = len(digits.train_labels)
    accuracy = float((probabilities.argmax(axis=1) == truth).mean())
    found = {
        method: ranks_of(WRONG, quality(probabilities, truth, method)[first_test:])
        for method in METHODS
    }
    keep(
        "labels",
        {
            "seconds": took,
            "processor_seconds": used,
            "repetitions": repetitions,
            "accuracy": accuracy,
            "ranks": found,
        },
    )
    print(machine())
    print(
        f"{len(truth):,} labels in {seconds(took)}, {seconds(used)} of a processor's; "
        f"out of fold {accuracy:.2%} right"
    )
    rows = [["ranked by", "of 15 among the first 50", "first 100", "the last one at"]]
    for method, ranks in found.items():
        counts = [str(sum(rank <= most for rank in ranks)) for most in (50, 100)]
        name = f"{method} (the app's)" if method == METHOD else method
        rows.append([name, *counts, str(ranks[-1])])
    print(table(rows))


if __name__ == "__main__":
    main()

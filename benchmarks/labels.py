"""All 70,000 labels judged: seconds, and the known errors found; what chance has to do with it.

    python -m benchmarks.labels [--chance N [--folder FOLDER]]

With `--chance`, N seeds judge, and each choice of as many of them as the app takes is ranked. What
each seed says is kept in FOLDER: started again with the same one, it goes on where it was ended.

The 15 test labels that people judged wrong are labelerrors.com's (Northcutt et al., Pervasive
Label Errors in Test Sets, 2021). A rank is among the 10,000 test images, from 1.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

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
    images: NDArray[np.uint8], truth: NDArray[np.uint8], seeds: Sequence[int]
) -> tuple[NDArray[np.float32], float, float]:
    """Return the out-of-fold probabilities, the seconds they took, and the processor's seconds."""
    begun, used = time.perf_counter(), time.process_time()
    folds = out_of_fold(images, truth, labels.recipe(len(truth)), seeds)
    while True:
        try:
            next(folds)
        except StopIteration as end:
            return end.value, time.perf_counter() - begun, time.process_time() - used


def among(ranks: list[int]) -> list[int]:
    """Return how many ranks are among the first 50, and among the first 100."""
    return [sum(rank <= most for rank in ranks) for most in (50, 100)]


def kept(
    images: NDArray[np.uint8], truth: NDArray[np.uint8], seed: int, folder: Path
) -> NDArray[np.float32]:
    """Return what one seed's networks say, from the folder if it is there already."""
    path = folder / f"seed-{seed}.npy"
    if not path.exists():
        print(f"seed {seed} judges", file=sys.stderr, flush=True)
        partial = path.with_suffix(".unfinished.npy")
        np.save(partial, judged(images, truth, [seed])[0])
        partial.replace(path)
    return np.asarray(np.load(path), np.float32)


def chance(images: NDArray[np.uint8], truth: NDArray[np.uint8], seeds: int, folder: Path) -> None:
    """Judge by each of so many seeds; print what every choice of them finds, by each ranking."""
    each = [kept(images, truth, seed, folder) for seed in range(seeds)]
    rows = [["ranked by", "choices", "of 15 among the first 50", "first 100"]]
    results = {}
    for method in METHODS:
        found = [
            among(_test_ranks(np.mean(chosen, axis=0), truth, method))
            for chosen in combinations(each, len(labels.SEEDS))
        ]
        results[method] = found
        columns = list(zip(*found, strict=True))
        told = [f"{np.mean(one):.1f}, {min(one)} to {max(one)}" for one in columns]
        rows.append([method, str(len(found)), *told])
    keep("labels_chance", {"seeds": seeds, "found": results})
    print(machine())
    print(table(rows))


def _test_ranks(
    probabilities: NDArray[np.float32], truth: NDArray[np.uint8], method: str
) -> list[int]:
    """Return the known errors' ranks among the test images, which come last."""
    return ranks_of(WRONG, quality(probabilities, truth, method)[-10_000:])


def main() -> None:
    """Measure, keep and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chance", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path, help="a temporary one if it is not given")
    options = parser.parse_args()
    seeds = options.chance
    need_mnist()
    digits = mnist.load("mnist")
    images = np.concatenate([digits.train_images, digits.test_images])
    truth = np.concatenate([digits.train_labels, digits.test_labels])
    if seeds:
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.folder or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            chance(images, truth, seeds, folder)
        return
    probabilities, took, used = judged(images, truth, labels.SEEDS)
    accuracy = float((probabilities.argmax(axis=1) == truth).mean())
    found = {method: _test_ranks(probabilities, truth, method) for method in METHODS}
    keep(
        "labels",
        {
            "seconds": took,
            "processor_seconds": used,
            "seeds": len(labels.SEEDS),
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
        counts = [str(count) for count in among(ranks)]
        name = f"{method} (the app's)" if method == METHOD else method
        rows.append([name, *counts, str(ranks[-1])])
    print(table(rows))


if __name__ == "__main__":
    main()

"""What the Data page computes of all 70,000 digits: near-duplicates, maps, hardness, statistics.

    python -m benchmarks.data [--repetitions N]

A map's trustworthiness (Venna and Kaski, 2001) says how many of each image's 10 neighbors on it are
neighbors among all pixels' first 50 components too: 1 is all.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

from benchmarks.machine import keep, machine, need_mnist, seconds, table
from core.data import duplicates, maps, mnist, selection, statistics
from core.data.digits import Digits
from core.jobs import labels
from core.training.loop import train

_PAIRS = 10  # of epochs, one with hardness and one without, in turns
_GOALS = {"near-duplicates": 30.0, "t-SNE": 10.0}  # seconds


def taken(work: Callable[[], object], repetitions: int) -> list[float]:
    """Return how many seconds some work takes, each time."""
    found = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return found


def slower(digits: Digits, pairs: int) -> list[float]:
    """Return how much more of the processor an epoch takes that records hardness, as shares.

    Processor's seconds, since other programs disturb them least.
    """
    config = labels.recipe(len(digits.train_labels)).changed({"epochs": 1, "train_size": 10_000})
    list(train(config, digits))  # the first steps are slow
    shares = []
    for number in range(pairs):
        used = {}
        for recorded in (True, False) if number % 2 else (False, True):
            before = time.process_time()
            list(train(config.changed({"hardness": recorded}), digits))
            used[recorded] = time.process_time() - before
        shares.append(used[True] / used[False] - 1)
    return shares


def main() -> None:
    """Measure, keep and print."""
    from sklearn.manifold import trustworthiness

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1)
    times = parser.parse_args().repetitions
    need_mnist()
    digits = mnist.load("mnist")
    images, _ = selection.take(digits, maps.sample(digits))
    near = maps.components(images, 50).of(images)
    flat = maps.components(images).of(images)
    arranged = maps.tsne(images)
    took = {
        "near-duplicates": taken(lambda: list(duplicates.search(digits)), times),
        "t-SNE": taken(lambda: maps.tsne(images), times),
        "PCA": taken(lambda: maps.components(images).of(images), times),
        "statistics": taken(lambda: statistics.facts(digits), times),
    }
    trust = {
        name: float(trustworthiness(near, points, n_neighbors=10))
        for name, points in (("PCA", flat), ("t-SNE", arranged))
    }
    shares = slower(digits, _PAIRS)
    keep("data", {"seconds": took, "trustworthiness": trust, "hardness_slower": shares})
    print(machine())
    whole = f"of all {len(digits.train_labels) + len(digits.test_labels):,} digits"
    rows = [["what", "times", "seconds, median", "goal", "trustworthiness"]]
    for name, found in took.items():
        of = f"a map of {len(images):,} by {name}" if name in trust else f"{name} {whole}"
        goal = seconds(_GOALS[name]) if name in _GOALS else "–"
        told = f"{trust[name]:.3f}" if name in trust else "–"
        rows.append([of, str(times), seconds(median(found)), goal, told])
    print(table(rows))
    low, high = np.quantile(shares, [0.25, 0.75])
    print(
        f"An epoch that records hardness takes {median(shares):+.1%}: the median of {_PAIRS} pairs "
        f"of epochs (half of them between {low:+.1%} and {high:+.1%}), goal +2.0%."
    )


if __name__ == "__main__":
    main()

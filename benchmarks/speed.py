"""Measure how fast we train, beside what people use today; print the README's tables.

python -m benchmarks.speed [PART …] [--repetitions N] [--seeds N]

Parts: epochs, accuracy, profile, growth, watching. What is measured is kept part by part in
benchmarks/results/speed.json, so that they need not be measured in one go.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import profile, reference
from benchmarks.machine import (
    RESULTS,
    keep,
    machine,
    need_mnist,
    peak_bytes,
    percent,
    seconds,
    table,
)
from benchmarks.watching import watching
from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.errors import UserError
from core.evaluation import metrics
from core.recipes import RECIPES
from core.runs import answers
from core.training import networks
from core.training.events import Epoch
from core.training.loop import train

FAST = {"fast_990": 0.990, "fast_992": 0.992, "fast_995": 0.995, "fast_997": 0.997}
PUBLISHED, TUTORIAL = "train_mnist_fast, as published", "simple_cnn, reference loop"
SIZES = (10_000, 60_000, 240_000)
ONE_BY_ONE = ("times", "seconds_and_test_accuracy", "as_one", "rates", "steps")  # measured so


def warm_up(digits: Digits) -> None:
    """Let libraries load what they load at a first step."""
    list(train(TrainConfig(epochs=1, train_size=2_000), digits))


def last_epoch(config: TrainConfig, digits: Digits) -> Epoch:
    """Train; return the last epoch's event."""
    return [event for event in train(config, digits) if isinstance(event, Epoch)][-1]


def epochs(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Time one epoch of 60,000 images: the reference loop and ours, in turn."""
    digits = mnist.load()
    warm_up(digits)
    for name in reference.OPTIMIZERS:
        config = RECIPES[name].config.changed({"epochs": 1, "validation_size": 10})
        tutorial = reference.Tutorial(config)
        times: dict[str, list[float]] = {"reference": [], "ours": []}
        for _ in range(options.repetitions):
            times["reference"].append(tutorial.epoch())
            times["ours"].append(last_epoch(config, digits).seconds)
            print(name, {key: round(value[-1], 2) for key, value in times.items()}, flush=True)
        yield {"times": {name: times}}


def show_epochs(part: dict[str, Any]) -> str:
    """Return the medians of an epoch's seconds and their ratio."""
    rows = [["network", "reference loop", "`core.training`", "ratio", "times each"]]
    for name, times in part["times"].items():
        theirs, ours = (statistics.median(times[key]) for key in ("reference", "ours"))
        ratio, count = f"1/{theirs / ours:.1f}", str(len(times["ours"]))
        rows.append([f"`{name}`", seconds(theirs), seconds(ours), ratio, count])
    return table(rows)


def accuracy(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Time every fast recipe to its accuracy, with several seeds, and what it is compared with."""
    digits = mnist.load()
    warm_up(digits)
    for name in options.recipes or [*FAST, PUBLISHED, TUTORIAL]:
        measured: list[list[float]] = []
        answers = np.zeros((len(digits.test_labels), 10))
        seeds = options.seeds * 2 if name in ("fast_990", "fast_992", PUBLISHED) else options.seeds
        for seed in range(1 if name == TUTORIAL else seeds):
            if name in FAST:
                config = RECIPES[name].config.changed({"seed": seed})
                spent, probabilities = to_answers(config, digits)
                answers += probabilities
                one = spent, metrics.score(probabilities, digits.test_labels)[1]
            else:
                one = reference.train_mnist_fast(seed) if name == PUBLISHED else tutorial_to(0.992)
            measured.append(list(one))
            print(name, [round(value, 4) for value in one], flush=True)
        yield {"seconds_and_test_accuracy": {name: measured}}
        if name in FAST:
            together = metrics.score((answers / seeds).astype(np.float32), digits.test_labels)[1]
            yield {"as_one": {name: [seeds, together]}}


def to_answers(config: TrainConfig, digits: Digits) -> tuple[float, NDArray[np.float32]]:
    """Train a recipe; return its seconds, all inside, and its answers on the test set, `(N, 10)`.

    The data are in memory before. Validation counts, and so do the extra copies in reading the test
    set, if the recipe averages over them.
    """
    begin = time.perf_counter()
    epochs = [event for event in train(config, digits) if isinstance(event, Epoch)]
    best = [event for event in epochs if event.is_best][-1]
    trained = time.perf_counter()
    probabilities = answers.compute(best.checkpoint, digits.test_images)
    reading = time.perf_counter() - trained if config.reading_shift else 0.0
    return trained - begin + reading, probabilities


def tutorial_to(target: float) -> tuple[float, float]:
    """Train `simple_cnn` by the reference loop until an epoch reaches the target on the test set.

    Its ten epochs and its step schedule are the recipe's; reading the test set is not counted.
    """
    config = RECIPES["simple_cnn"].config
    tutorial = reference.Tutorial(config)
    schedule = torch.optim.lr_scheduler.StepLR(tutorial.optimizer, config.step_every, 0.5)
    spent = reached = 0.0
    for _ in range(config.epochs):
        spent += tutorial.epoch()
        schedule.step()
        reached = tutorial.accuracy()
        print(f"  {spent:.0f} s, {reached:.2%}", flush=True)
        if reached >= target:
            break
    return spent, reached


def show_accuracy(part: dict[str, Any]) -> str:
    """Return mean seconds and mean test accuracy by recipe."""
    head = ["recipe", "parameters", "epochs", "target", "mean test accuracy"]
    rows = [[*head, "lowest to highest", "mean seconds", "runs"]]
    sizes = {PUBLISHED: (215_194, 1), TUTORIAL: (421_834, 10)}
    goals = FAST | {PUBLISHED: 0.990, TUTORIAL: 0.992}
    for name in FAST:
        config = RECIPES[name].config
        sizes[name] = networks.parameter_count(networks.build(config)), config.epochs
    for name, goal in goals.items():
        if name in part["seconds_and_test_accuracy"]:
            times, reached = zip(*part["seconds_and_test_accuracy"][name], strict=True)
            rows.append(
                [
                    f"`{name}`" if name in FAST else name,
                    *(f"{sizes[name][0]:,}", str(sizes[name][1]), percent(goal)),
                    percent(statistics.mean(reached)),
                    f"{100 * min(reached):.2f} to {percent(max(reached))}",
                    seconds(statistics.mean(times)),
                    str(len(times)),
                ]
            )
    ensembles = [["all seeds as one, their probabilities averaged", "networks", "test accuracy"]]
    for name, (count, together) in part.get("as_one", {}).items():
        ensembles.append([f"`{name}`", str(count), percent(together)])
    return f"{table(rows)}\n\n{table(ensembles)}"


def growth(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Time an epoch, and note the peak memory, for more and more images; each in a new process."""
    measured = {}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for size in SIZES:
            measured[size] = pool.map(one_size, [size] * options.repetitions, chunksize=1)
            print(size, measured[size], flush=True)
    yield {"repetitions": options.repetitions, "seconds_and_bytes": measured}


def one_size(size: int) -> tuple[float, float]:
    """Return the seconds of an epoch over so many images, and the process's peak bytes."""
    digits = mnist.load()
    warm_up(digits)
    chosen = np.arange(size + 10) % 60_000
    repeated = Digits(
        "mnist",
        train_images=digits.train_images[chosen],
        train_labels=digits.train_labels[chosen],
        test_images=digits.test_images,
        test_labels=digits.test_labels,
    )
    config = RECIPES["fast_992"].config.changed({"validation_size": 10})
    took = last_epoch(config, repeated).seconds
    return took, peak_bytes()


def show_growth(part: dict[str, Any]) -> str:
    """Return medians of seconds and memory by size."""
    rows = [["images", "seconds an epoch", "seconds per 10,000 images", "peak memory"]]
    for size, runs in part["seconds_and_bytes"].items():
        took, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        per = seconds(took / int(size) * 10_000)
        rows.append([f"{int(size):,}", seconds(took), per, f"{peak / 1e6:,.0f} MB"])
    return table(rows)


def show_watching(part: dict[str, Any]) -> str:
    """Return the training's seconds alone, recorded, and watched, and what the watching takes."""
    head = ["the same training", "seconds, mean", "range", "slower than unwatched by"]
    rows = [[*head, "server, a minute", "watchers, a minute"]]
    alone = statistics.mean(part["seconds"]["recorded"])  # what is watched is recorded
    for name, times in part["seconds"].items():
        mean = statistics.mean(times)
        slower = f"{mean / alone - 1:+.1%}".replace("%", " %")
        row = [name, seconds(mean), f"{min(times):.2f} to {max(times):.2f} s", slower]
        spent = part["processor_seconds_a_minute"][name]
        for who in ("server", "watchers"):
            row.append(seconds(statistics.median(one[who] for one in spent)))
        rows.append(row)
    return table(rows)


PARTS: dict[str, tuple[Callable[[argparse.Namespace], Iterator[Any]], Callable[[Any], str]]] = {
    "epochs": (epochs, show_epochs),
    "accuracy": (accuracy, show_accuracy),
    "profile": (
        lambda options: profile.profile(options.recipes, options.repetitions),
        profile.show,
    ),
    "growth": (growth, show_growth),
    "watching": (lambda options: iter([watching(options.repetitions)]), show_watching),
}


def main() -> None:
    """Measure the parts asked for, keep them, and print every part's table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=5, help="twice as many for the fastest")
    parser.add_argument("--recipes", nargs="*", help="for accuracy and profile: only these")
    options = parser.parse_args()
    need_mnist()
    path = RESULTS / "speed.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept.pop("machine", None)  # each part has its own
    for name in options.parts or PARTS:
        for part in PARTS[name][0](options):
            before = kept.get(name, {})
            for key in ONE_BY_ONE:
                if key in before or key in part:
                    part[key] = before.get(key, {}) | part.get(key, {})
            kept[name] = {"machine": machine(), **part}
            keep("speed", kept)
    for name in PARTS:
        if name in kept:
            print(f"\n## {name}\n\n{kept[name]['machine']}\n\n{PARTS[name][1](kept[name])}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from error

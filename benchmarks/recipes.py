"""Train every recipe, or those named, on the full MNIST; print the README's table.

python -m benchmarks.recipes [RECIPE …] [--seeds N]    what was measured before is kept
"""

import argparse
import json
import statistics
from typing import Any

from benchmarks.machine import RESULTS, keep, machine, need_mnist, percent, table
from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.errors import UserError
from core.evaluation import metrics
from core.recipes import RECIPES, recipe
from core.runs import answers
from core.training import networks
from core.training.events import Epoch
from core.training.loop import train


def measure(config: TrainConfig, digits: Digits) -> dict[str, Any]:
    """Train once; the best epoch by validation is read on the test set, once."""
    epochs = [event for event in train(config, digits) if isinstance(event, Epoch)]
    best = [epoch for epoch in epochs if epoch.is_best][-1]
    probabilities = answers.compute(best.checkpoint, digits.test_images)
    return {
        "seed": config.seed,
        "best_epoch": best.epoch,
        "validation_accuracy": best.validation_accuracy,
        "test_accuracy": metrics.score(probabilities, digits.test_labels)[1],
        "train_seconds": epochs[-1].total_seconds,
        "parameters": networks.parameter_count(networks.build(config)),
        "device": machine()["device"],
    }


def accuracy(reached: list[float]) -> str:
    """Return the mean of shares in [0, 1] as a percentage, with the range of several."""
    mean = percent(statistics.mean(reached))
    if len(reached) == 1:
        return mean
    return f"{mean} ({percent(min(reached))} to {percent(max(reached))})"


def show(measured: dict[str, list[dict[str, Any]]]) -> str:
    """Return the README's table: means over the runs, and ranges where there are several."""
    columns = "recipe, parameters, epochs, runs, seconds, validation, test, its source's test"
    rows = [columns.split(", ")]
    for name, runs in measured.items():
        reported = RECIPES[name].reported
        rows.append(
            [
                f"`{name}`",
                f"{runs[0]['parameters']:,}",
                str(RECIPES[name].config.epochs),
                str(len(runs)),
                f"{statistics.mean(run['train_seconds'] for run in runs):.0f}",
                accuracy([run["validation_accuracy"] for run in runs]),
                accuracy([run["test_accuracy"] for run in runs]),
                "–" if reported is None else percent(reported),
            ]
        )
    return table(rows)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=list(RECIPES), metavar="RECIPE")
    parser.add_argument("--seeds", type=int, default=1, help="repetitions, each with its own seed")
    options = parser.parse_args()
    need_mnist()
    digits = mnist.load()
    path = RESULTS / "recipes.json"
    kept = json.loads(path.read_text())["recipes"] if path.exists() else {}
    for name in options.recipes:
        config = recipe(name).config
        kept[name] = [
            measure(config.changed({"seed": seed}), digits) for seed in range(options.seeds)
        ]
        print(name, kept[name], flush=True)
    measured = {name: kept[name] for name in RECIPES if name in kept}
    print(machine(), end="\n\n")
    print(show(measured))
    keep("recipes", {"recipes": measured})
    print(f"\nKept in {path}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from error

"""`python -m core data`, `labels` and `presets`: the digits in use, and the recipes."""

import argparse
import signal
import sys
from collections.abc import Iterator
from typing import Any

from core import recipes
from core.commands import Command
from core.data import download, mnist


def add(command: Command) -> None:
    """Add this module's commands to the command line."""
    sub = command("data", _data, "which data is in use, counts, checksums")
    sub.add_argument("--download", action="store_true", help="fetch the full MNIST first")

    sub = command("labels", _labels, "labels that look wrong, the most suspicious first")
    sub.add_argument("--count", metavar="N", type=int, default=100, help="how many (100)")

    command("presets", _presets, "the named recipes, one a line")


def _data(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if options.download:
        # The page's Cancel button: exit through the `finally` blocks, which delete partial files.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("The download was cancelled."))
        download.fetch()
    digits = mnist.load()
    yield {
        "source": digits.source,
        "directory": str(mnist.directory().resolve()),
        "train": len(digits.train_labels),
        "test": len(digits.test_labels),
        "checksum": digits.checksum,
    }


def _labels(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.data import selection
    from core.jobs import judge, labels

    digits = mnist.load()
    if not labels.judged(digits.checksum):
        print("Judging the labels: this takes a minute or two …", file=sys.stderr)
        judge.in_turn(digits)
    found = labels.suspects(digits)
    for place in range(min(options.count, len(found.numbers))):
        split, index = selection.place(digits, int(found.numbers[place]))
        yield {
            "split": split,
            "index": index,
            "label": int(found.labels[place]),
            "answer": int(found.answers[place]),
            "answer_probability": float(found.sureness[place]),
            "label_probability": float(found.belief[place]),
        }


def _presets(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for recipe in recipes.RECIPES.values():
        yield {
            "name": recipe.name,
            "summary": recipe.summary,
            "reported": recipe.reported,
            "config": recipe.config.to_dict(),
        }

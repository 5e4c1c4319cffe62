"""Measure how well a network reads one hand that it learned from twenty digits; print the table.

python -m benchmarks.own_hand [--run RUN]

Each writer of the pen digits (DIGITLAB_DATA/pen/dev.jsonl and unipen-dev.jsonl) who gave four of
each digit or more: two of each are learned from, the others are read, before and after.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import RESULTS, keep, machine, need_mnist, percent, seconds, table
from benchmarks.writers import FILES, prepared
from core.data import mnist
from core.data.people import read_strokes
from core.errors import UserError
from core.my_digits import fitted, fitting
from core.my_digits.collection import Collection
from core.reading.reader import Reader
from core.runs import catalogue
from core.runs.run import BUILTIN, Run
from core.training import checkpoint
from core.training.handwriting import on_canvas

LEAST = 4  # of each digit, from a writer


def hands() -> dict[str, tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Return the prepared digits and the labels of each writer with enough of them."""
    found = {}
    for name in FILES:
        digits = read_strokes(mnist.directory() / "pen" / f"{name}.jsonl")
        for writer in sorted({digit.writer for digit in digits}):
            own = [digit for digit in digits if digit.writer == writer]
            labels = np.array([digit.label for digit in own])
            if np.bincount(labels, minlength=10).min() >= LEAST:
                images = np.stack([prepared(on_canvas(digit.strokes), None) for digit in own])
                found[f"{name}, {writer}"] = images, labels
    return found


def measured(
    run: Run, images: NDArray[np.float32], labels: NDArray[np.int64], path: Path
) -> dict[str, float]:
    """Return shares in [0, 1] of one writer's other digits, of MNIST's test, and the seconds."""
    random = np.random.default_rng(0)
    shuffled = random.permutation(len(labels))
    twenty = np.concatenate(
        [shuffled[labels[shuffled] == digit][: fitted.NEEDED] for digit in range(10)]
    )
    pixels = np.rint(255 * images[twenty]).astype(np.uint8)
    digits = Collection(("",) * len(twenty), pixels, labels[twenty].astype(np.uint8))
    known = mnist.load("mnist")
    begin = time.perf_counter()
    checkpoint.save(fitting.learn(run, digits, known.train_images), path)
    spent = time.perf_counter() - begin
    others = np.setdiff1d(np.arange(len(labels)), twenty)
    before, after = Reader(run).readings(images[others]), Reader(run, path).readings(images[others])
    test = Reader(run, path).read(known.test_images.astype(np.float32) / np.float32(255)).argmax(1)
    right = np.array([read.digit for read in after]) == labels[others]
    sure = np.array([read.sure for read in after])
    return {
        "digits": len(others),
        "before": float(np.mean([read.digit for read in before] == labels[others])),
        "after": float(right.mean()),
        "sure": float(sure.mean()),
        "wrong of sure": float((~right & sure).sum() / max(sure.sum(), 1)),
        "MNIST's test": float((test == known.test_labels).mean()),
        "seconds": spent,
    }


def main() -> None:
    """Measure the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", default=BUILTIN, help="a RUN, or built-in")
    options = parser.parse_args()
    need_mnist()
    run = catalogue.find(options.run)
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (images, labels) in hands().items():
            rows[name] = measured(run, images, labels, Path(folder) / "fitted.pt")
            print(name, rows[name], flush=True)
    shares = ("before", "after", "sure", "wrong of sure", "MNIST's test")
    shown = [["writer", "other digits", *shares, "learned in"]]
    for name, row in rows.items():
        cells = [percent(row[share]) for share in shares]
        shown.append([name, f"{row['digits']:,}", *cells, seconds(row["seconds"])])
    print(f"\n{machine()}\n{options.run}\n\n{table(shown)}")
    keep("own_hand", {"network": options.run, "rows": rows})
    print(f"\nKept in {RESULTS / 'own_hand.json'}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from error

"""How long an export takes, and how far the ONNX file's answers are from ours.

    python -m benchmarks.export [--images 10000]

Every network is trained for an epoch on 4,000 images in a store of its own, and exported in this
process, files written, checks included. The first export loads torch's exporter too.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.machine import machine, table
from core.config import NETWORKS, TrainConfig
from core.data import mnist
from core.export import bundle, onnx
from core.jobs import request, worker
from core.reading.reader import Reader
from core.runs import builtin
from core.runs.run import Run


def runs(networks: list[str]) -> Iterator[Run]:
    """Yield the built-in network, and a run of each network once it is trained."""
    yield builtin.run()
    for network in networks:
        changes = {"network": network, "epochs": 1, "train_size": 4_000, "validation_size": 500}
        config = TrainConfig().changed(changes)
        yield worker.work(request.enqueue(config, mnist.source(), "", network))


def row(run: Run, images: int) -> list[str]:
    """Export a run; return its row: network, seconds, size, and the largest difference."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        made = bundle.files(run)
        bundle.write(made, Path(folder))
        seconds = time.perf_counter() - begin
    content = next(one.content for one in made if one.name == onnx.NAME)
    difference = "–"
    if images:
        some = mnist.load().test_images[:images].astype(np.float32) / np.float32(255)
        difference = f"{onnx.difference(content, Reader(run), some):.1e}"
    size = sum(len(one.content) for one in made) / 2**20
    name = f"`{run.config.network}`" + " (built-in)" * run.is_builtin
    return [name, f"{seconds:.1f}", f"{size:.1f} MB", difference]


def main() -> None:
    """Print a table with a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=int, default=10_000, help="test images to compare; 0: none"
    )
    parser.add_argument("--networks", nargs="*", default=NETWORKS, choices=NETWORKS)
    options = parser.parse_args()
    images = options.images
    print(machine())
    with tempfile.TemporaryDirectory() as store:
        os.environ["DIGITLAB_RUNS"] = store
        titles = ["network", "seconds", "size", f"largest difference, {images:,} images"]
        print(table([titles]))
        for run in runs(options.networks):
            print("| " + " | ".join(row(run, images)) + " |", flush=True)


if __name__ == "__main__":
    main()

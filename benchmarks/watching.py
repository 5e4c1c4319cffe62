"""The price of watching: the same training alone, recorded, and recorded while a page watches."""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.browser import ROOT, chromium, open_when_up, server, settle
from core.data import mnist
from core.recipes import RECIPES
from core.training.events import Epoch
from core.training.loop import train

_RECIPE, _EPOCHS = "fast_cnn", 6


def watching(repetitions: int) -> dict[str, Any]:
    """Return the seconds of the training loop, each kind in turn and each in a new process."""
    times: dict[str, list[float]] = {"bare": [], "recorded": [], "recorded and watched": []}
    with (
        chromium() as browser,
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool,
    ):
        for _ in range(repetitions):
            times["bare"].append(pool.apply(bare))
            with tempfile.TemporaryDirectory() as folder:
                times["recorded"].append(recorded(Path(folder)))
                with server(Path(folder)) as (address, _):
                    page = browser.new_page(viewport={"width": 1440, "height": 1000})
                    open_when_up(page, f"{address}/train")
                    page.get_by_role("button", name="Start", exact=True).wait_for()
                    settle(page)
                    times["recorded and watched"].append(recorded(Path(folder)))
                    page.close()
            print({name: round(values[-1], 2) for name, values in times.items()}, flush=True)
    return {"recipe": _RECIPE, "epochs": _EPOCHS, "repetitions": repetitions, "seconds": times}


def bare() -> float:
    """Train, keep nothing; return the seconds."""
    config = RECIPES[_RECIPE].config.changed({"epochs": _EPOCHS})
    events = [event for event in train(config, mnist.load()) if isinstance(event, Epoch)]
    return events[-1].total_seconds


def recorded(runs: Path, recipe: str = _RECIPE, epochs: int = _EPOCHS) -> float:
    """Train by the command line, into a store; return the seconds that it notes."""
    command = ["train", "--preset", recipe, "--set", f"epochs={epochs}"]
    done = subprocess.run(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-m", "core", *command],
        cwd=ROOT,
        env={**os.environ, "DIGITLAB_RUNS": str(runs)},
        check=True,
        capture_output=True,
    )
    return float(json.loads(done.stdout)["train_seconds"])

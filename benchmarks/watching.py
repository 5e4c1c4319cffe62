"""The price of watching: the same training alone, recorded, and watched by one page and by twenty.

The one is in a browser, on the same processor. The twenty are visitors without browsers, who ask
and get what browsers would: it is the server's part that grows with them.
"""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.browser import ROOT, chromium, open_when_up, server, settle
from benchmarks.protocol import Visitor, up, visiting
from core.data import mnist
from core.recipes import RECIPES
from core.runs import catalogue
from core.training.events import Epoch
from core.training.loop import train

_RECIPE, _EPOCHS = "fast_cnn", 6
_PAGES = 20
_KINDS = ("bare", "recorded", "watched by one page", f"watched by {_PAGES} pages")


def watching(repetitions: int) -> dict[str, Any]:
    """Return the seconds of the training loop, each kind in turn and each in a new process."""
    times: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    bare_, recorded_, one, many = times.values()
    with (
        chromium() as browser,
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool,
        ThreadPoolExecutor(1) as visitors,  # Playwright has this thread's event loop
    ):
        for _ in range(repetitions):
            bare_.append(pool.apply(bare))
            with tempfile.TemporaryDirectory() as folder:
                recorded_.append(recorded(Path(folder)))
                with server(Path(folder)) as (address, _):
                    page = browser.new_page(viewport={"width": 1440, "height": 1000})
                    open_when_up(page, f"{address}/train")
                    page.get_by_role("button", name="Start", exact=True).wait_for()
                    settle(page)
                    one.append(recorded(Path(folder)))
                    page.close()
                with server(Path(folder)) as (address, _):
                    training = watched(address, Path(folder))
                    many.append(visitors.submit(asyncio.run, training).result())
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


async def watched(address: str, runs: Path) -> float:
    """Train while many pages watch; return the seconds that the run notes."""
    os.environ["DIGITLAB_RUNS"] = str(runs)
    await up(address)
    async with AsyncExitStack() as stack:
        there = [await stack.enter_async_context(visiting(address)) for _ in range(_PAGES)]
        for visitor in there:
            await visitor.open("train")
        before = {run.id for run in catalogue.listed()}
        training = asyncio.create_task(asyncio.to_thread(recorded, runs))
        while not (new := [run.id for run in catalogue.listed() if run.id not in before]):
            await asyncio.sleep(0.5)
        watchers = [asyncio.create_task(_watch(visitor, new[0])) for visitor in there]
        seconds = await training
        for watcher in watchers:
            watcher.cancel()
        return seconds


async def _watch(visitor: Visitor, run: str) -> None:
    """Do what progress.js does: ask for what is new, and tell the page when an epoch has ended."""
    after, told = 0, None
    while True:
        await asyncio.sleep(1)
        _, answer, _ = await visitor.ask_door(f"runs/{run}/live?after={after}")
        after = max([after, *(point["step"] for point in answer["points"])])
        ended = max([0, *(point["epoch"] for point in answer["epoch_points"])])
        news = {"door": True, "state": answer["state"], "completed": ended}
        if visitor.has("live-progress") and news != told:
            await visitor.tell("live-progress", json_value=json.dumps({"news": news}))
            told = news

"""The cost of watching: the same training alone, recorded, and watched by one page and by twenty.

One server runs all along, and is idle unless a page watches. The trainings have a process of their
own, which has loaded everything before the clock starts. The one page is in a browser; the twenty
are visitors without browsers, who ask and get what browsers would. Both use the processor that
trains, so their seconds of it are told apart from the server's.
"""

import asyncio
import gc
import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.browser import chromium, open_when_up, server, settle
from benchmarks.memory import children, family_seconds
from benchmarks.protocol import Visitor, up, visiting
from core.data import mnist
from core.jobs import request, worker
from core.recipes import RECIPES
from core.runs import catalogue
from core.training.events import Epoch
from core.training.loop import train

_RECIPE = "fast_cnn"
_PAGES = 20
_REDRAW = 3  # as in progress.js
BARE, RECORDED, ONE, MANY = "bare", "recorded", "watched by one page", f"watched by {_PAGES} pages"
_QUIET = 2.0  # seconds; the standby process computes again after a shorter pause, until it is done
_IDLE = 0.1  # the processor's seconds that an idle server takes at most in _QUIET


def watching(repetitions: int) -> dict[str, Any]:
    """Return each training's seconds, and the processor's seconds a minute of those around it."""
    times: dict[str, list[float]] = {kind: [] for kind in (BARE, RECORDED, ONE, MANY)}
    spent: dict[str, list[dict[str, float]]] = {kind: [] for kind in times}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DIGITLAB_RUNS"] = folder
        with (
            server(Path(folder)) as (address, pid),
            chromium() as browser,
            ThreadPoolExecutor(1) as thread,  # Playwright has this thread's event loop
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _load) as trainer,
        ):
            trainer_pid = trainer.submit(os.getpid).result()
            for _ in range(repetitions):
                for kind in times:
                    # Without a visitor now and then, the process on standby ends.
                    thread.submit(asyncio.run, up(address)).result()
                    run = "" if kind == BARE else _new_run()
                    with _watchers(kind, address, run, browser, thread):
                        _until_idle(pid)
                        begin, before = time.monotonic(), _spent(pid, trainer_pid)
                        times[kind].append(trainer.submit(_train, run).result())
                        minutes = (time.monotonic() - begin) / 60
                        after = _spent(pid, trainer_pid)
                    spent[kind].append({who: (after[who] - before[who]) / minutes for who in after})
                    print(kind, round(times[kind][-1], 2), spent[kind][-1], flush=True)
    return {"recipe": _RECIPE, "seconds": times, "processor_seconds_a_minute": spent}


def _load() -> None:
    """Load everything that training needs, and take some steps."""
    from core.runs.store import load_for_training

    load_for_training()
    config = RECIPES[_RECIPE].config.changed({"epochs": 1, "train_size": 2_000})
    list(train(config, mnist.load()))
    gc.freeze()


def _new_run() -> str:
    return request.enqueue(RECIPES[_RECIPE].config, mnist.source(), _RECIPE).id


def _train(run: str) -> float:
    """Train, recorded if there is a run; return the seconds of the training loop."""
    digits = mnist.load()
    if run:
        return float(worker.work(catalogue.get(run), digits=digits).train_seconds or "nan")
    events = train(RECIPES[_RECIPE].config, digits)
    return [event for event in events if isinstance(event, Epoch)][-1].total_seconds


@contextmanager
def _watchers(
    kind: str, address: str, run: str, browser: Browser, thread: Executor
) -> Iterator[None]:
    """Keep as many pages open as a kind of training has."""
    if kind == ONE:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        open_when_up(page, f"{address}/train")
        page.get_by_role("button", name="Stop", exact=True).wait_for()
        settle(page)
        yield
        page.close()
    elif kind == MANY:
        there, over = threading.Event(), threading.Event()
        visits = thread.submit(asyncio.run, _visit(address, run, there, over))
        while not (there.wait(0.1) or visits.done()):
            pass
        yield
        over.set()
        visits.result()
    else:
        yield


async def _visit(address: str, run: str, there: threading.Event, over: threading.Event) -> None:
    """Watch with many pages until it is over. Any watcher's error is raised."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as watchers:
        visitors = [await stack.enter_async_context(visiting(address)) for _ in range(_PAGES)]
        for visitor in visitors:
            await visitor.open("train")
        tasks = [watchers.create_task(watch(visitor, run)) for visitor in visitors]
        there.set()
        await asyncio.to_thread(over.wait)
        for task in tasks:
            task.cancel()


async def watch(visitor: Visitor, run: str) -> None:
    """Do what progress.js does: ask for what is new, and tell the page when an epoch has ended."""
    after, told, waited, again = 0, None, 0, 1.0
    while True:
        await asyncio.sleep(again)
        _, answer, _ = await visitor.ask_door(f"runs/{run}/live?after={after}")
        after = max([after, *(int(point["step"]) for point in answer["points"])])
        ended = max([0, *(point["epoch"] for point in answer["epoch_points"])])
        news = {"door": True, "state": answer["state"], "completed": ended}
        waited, again = waited + 1, answer["again"]
        is_due = told is None or news["state"] != told["state"] or waited >= _REDRAW
        if visitor.has("live-progress") and news != told and is_due:
            await visitor.tell("live-progress", json_value=json.dumps({"news": news}))
            told, waited = news, 0


def _until_idle(pid: int) -> None:
    """Wait until a server and its process on standby have loaded and computed what they do first.

    A page that watches a queued run asks the server too, which counts as idle.
    """
    while True:
        before = family_seconds(pid)
        time.sleep(_QUIET)
        if children(pid) and family_seconds(pid) - before < _IDLE:
            return


def _spent(pid: int, trainer: int) -> dict[str, float]:
    """Return the processor's seconds so far of the server, the training, and all others of ours."""
    found = {"server": family_seconds(pid), "training": family_seconds(trainer)}
    return {**found, "watchers": family_seconds(os.getpid()) - sum(found.values())}

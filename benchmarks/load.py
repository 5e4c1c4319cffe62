"""Many people at once: what the server takes to answer them, and how much memory it needs.

python -m benchmarks.load pages                  what a rerun of each page costs the server
python -m benchmarks.load visitors [N …]         N visitors go through all pages while one trains
python -m benchmarks.load crowd                  20 press Start at once in a public demo
python -m benchmarks.load soak --minutes 30      memory over time

Visitors speak Streamlit's protocol and draw nothing, so that what is measured is the server.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.browser import server
from benchmarks.machine import RESULTS, keep, machine, table
from benchmarks.memory import of_server, processor_seconds
from benchmarks.protocol import Visitor, up, visiting
from core.runs import catalogue

PAGES = ("", "data", "experiments", "train", "evaluate", "draw", "inside", "sweeps", "compare")
PAUSE = (1.0, 5.0)  # seconds that a visitor looks at what came
_REPEATS = 10  # of each page, for its cost
_CROWD = 20
_RESIDENT = ("server", "training", "together")
_SEVEN = [[[60.0, 50.0], [200.0, 50.0], [150.0, 150.0], [110.0, 240.0]]]


@dataclass
class Met:
    """What visitors experienced: seconds by action, errors, and memory in MB over time."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: list[tuple[float, dict[str, float]]] = field(default_factory=list)

    async def note(self, what: str, visitor: Visitor, doing: Awaitable[float]) -> None:
        """Do something and keep how long it took, and what the page said went wrong."""
        try:
            self.seconds[what].append(await doing)
        except (TimeoutError, LookupError, OSError) as error:
            self.errors.append(f"{what}: {type(error).__name__} {error}")
        self.errors += [f"{what}: {error}" for error in visitor.errors]


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pages", "visitors", "crowd", "soak"))
    parser.add_argument("visitors", type=int, nargs="*", default=[5, 20, 50])
    parser.add_argument("--minutes", type=float, default=1.0, help="how long visitors stay")
    options = parser.parse_args()
    print(machine(), flush=True)
    for name, value in asyncio.run(_measure(options)).items():
        _keep(name, value)


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    if options.what == "pages":
        return {"pages": await _served({}, pages)}
    if options.what == "crowd":
        return {"crowd": await _served({"DIGITLAB_DEMO": "1"}, crowd)}
    counts = options.visitors if options.what == "visitors" else options.visitors[:1]
    found = {}
    for count in counts:
        name = f"soak {count}" if options.what == "soak" else f"visitors {count}"

        async def stay(address: str, pid: int, count: int = count) -> dict[str, Any]:
            return await visitors(address, pid, count, 60 * options.minutes)

        found[name] = await _served({"DIGITLAB_CLASS": "1"}, stay)
    return found


async def _served(
    environment: dict[str, str], measured: Callable[[str, int], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """Start the app with a fresh store and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= environment | {"DIGITLAB_RUNS": folder}
        try:
            with server(Path(folder)) as (address, pid):
                await up(address)
                return await measured(address, pid)
        finally:
            for name in environment:
                del os.environ[name]


async def pages(address: str, pid: int) -> dict[str, Any]:
    """Return the processor's and the clock's seconds of a rerun of each page, medians."""
    found: dict[str, Any] = {}
    async with visiting(address) as visitor:
        for _ in range(2):  # what is cached is, and what the Train page measures has been
            for page in PAGES:
                await visitor.open(page)
        await asyncio.sleep(5)
        visitor.stop_timers()
        for page in PAGES:
            cost, took = [], []
            for _ in range(_REPEATS):
                before = processor_seconds(pid)
                took.append(await visitor.open(page))
                visitor.stop_timers()
                await asyncio.sleep(0.05)
                cost.append(processor_seconds(pid) - before)
            found[page or "home"] = {
                "processor": sum(cost) / len(cost),
                "seconds": statistics.median(took),
                "errors": visitor.errors,
            }
    rows = [["page", "the server's processor time", "until all has arrived"]]
    rows += [
        [name.capitalize(), f"{1000 * one['processor']:.0f} ms", f"{1000 * one['seconds']:.0f} ms"]
        for name, one in found.items()
    ]
    print(f"A rerun of each page, means and medians of {_REPEATS}.\n\n{table(rows)}")
    return found


async def visitors(address: str, pid: int, count: int, seconds: float) -> dict[str, Any]:
    """Return what so many visitors met in so many seconds, while one of them trains."""
    met, end = Met(), time.monotonic() + seconds
    watch = asyncio.create_task(_watch_memory(pid, met, seconds / 30))

    async def stay(number: int) -> None:
        chance = random.Random(number)  # noqa: S311  # not for secrets
        await asyncio.sleep(chance.uniform(0, PAUSE[1]))
        async with visiting(address) as visitor:
            if number == 0:
                await _train(visitor, met)
            while time.monotonic() < end:
                await _round(visitor, met, chance, end)

    await asyncio.gather(*map(stay, range(count)))
    watch.cancel()
    _print_visitors(met, count, seconds)
    return {
        "answers": _answers(met),
        "errors": met.errors,
        "memory": met.memory[:: max(1, len(met.memory) // 10)],
        "most": {name: max(_resident(met, name)) for name in _RESIDENT},
    }


async def _round(visitor: Visitor, met: Met, chance: random.Random, end: float) -> None:
    """Go through all pages in some order, and do on each what people do there."""
    for page in chance.sample(PAGES, len(PAGES)):
        if time.monotonic() > end:
            return
        await met.note(page or "home", visitor, visitor.open(page))
        await asyncio.sleep(chance.uniform(*PAUSE))
        if page == "draw":
            await _draw(visitor, met)
        elif page == "evaluate":
            await met.note(
                "evaluate: percentages", visitor, visitor.set("normalized", bool_value=True)
            )
        elif page == "compare":
            rows = json.dumps({"selection": {"rows": [0, 1], "columns": [], "cells": []}})
            await met.note("compare: two runs", visitor, visitor.set("runs-", string_value=rows))


async def _draw(visitor: Visitor, met: Met) -> None:
    """Draw a seven: it is read while it grows, and again by the page on release."""
    for points in (2, 3, 4):
        status, answer, seconds = await visitor.ask_door("read", {"strokes": [_SEVEN[0][:points]]})
        met.seconds["draw: read along"].append(seconds)
        if status not in (200, 429):  # callers beyond the limit are refused
            met.errors.append(f"draw: read along: {status} {answer}")
    [stroke] = _SEVEN
    path = [["M", *stroke[0]], *(["L", *point] for point in stroke[1:])]
    drawing = {"objects": [{"type": "Path", "path": path, "strokeWidth": 18}]}
    state = json.dumps({"drawing": {"raw": drawing, "data": None}})
    await met.note("draw: answer", visitor, visitor.set("canvas-0", json_value=state))


async def _train(visitor: Visitor, met: Met) -> None:
    await met.note("train", visitor, visitor.open("train"))
    await met.note("train: start", visitor, visitor.set("start", trigger_value=True))


async def crowd(address: str, pid: int) -> dict[str, Any]:
    """Return the messages to 20 visitors of a public demo who press Start at once."""
    met = Met()
    watch = asyncio.create_task(_watch_memory(pid, met, 1.0))
    async with AsyncExitStack() as stack:
        there = [await stack.enter_async_context(visiting(address)) for _ in range(_CROWD)]
        for visitor in there:
            await met.note("train", visitor, visitor.open("train"))
        begin = time.perf_counter()
        await asyncio.gather(
            *(met.note("start", one, one.set("start", trigger_value=True)) for one in there)
        )
        told = [one for one in there if one.errors]
        reasons = sorted({error for one in told for error in one.errors})
        states = await _until_idle()
        ended = time.perf_counter()
    watch.cancel()
    print(
        f"Of {_CROWD} who pressed Start at once, {len(states)} trained in turn, the last until "
        f"{ended - begin:.0f} s later: {states}. {len(told)} were told: {reasons}."
    )
    _print_memory(met)
    return {
        "runs": states,
        "told": len(told),
        "reasons": reasons,
        "start": met.seconds["start"],
        "seconds": ended - begin,
        "memory": met.memory,
    }


async def _until_idle() -> list[str]:
    """Wait until every run is over; return their states."""
    while True:
        await asyncio.sleep(1)
        runs = catalogue.listed()
        if all(run.state.is_over for run in runs):
            return [str(run.state) for run in runs]


async def _watch_memory(pid: int, met: Met, every: float) -> None:
    begin = time.monotonic()
    while True:
        met.memory.append((time.monotonic() - begin, of_server(pid)))
        await asyncio.sleep(every)


def _print_visitors(met: Met, count: int, seconds: float) -> None:
    rows = [["what", "times", "median", "95th percentile"]]
    for name, (times, median, high) in _answers(met).items():
        rows.append([name, str(times), f"{median:.2f} s", f"{high:.2f} s"])
    print(f"\n{count} visitors for {seconds:.0f} s, one of whom trains.\n\n{table(rows)}")
    print(f"\n{len(met.errors)} errors. {sorted(set(met.errors))[:5]}")
    _print_memory(met)


def _answers(met: Met) -> dict[str, tuple[int, float, float]]:
    """Return how often each thing was done, and the median and 95th percentile of its seconds."""
    every = [second for one in met.seconds.values() for second in one]
    found = {}
    for name, took in [*sorted(met.seconds.items()), ("all", every)]:
        if took:
            high = sorted(took)[int(0.95 * (len(took) - 1))]
            found[name] = len(took), statistics.median(took), high
    return found


def _resident(met: Met, name: str) -> list[float]:
    return [memory[name] for _, memory in met.memory]


def _print_memory(met: Met) -> None:
    for name in _RESIDENT:
        values = _resident(met, name)
        print(f"{name}: at most {max(values):.0f} MB, at the end {values[-1]:.0f} MB")
    for at, memory in met.memory[:: max(1, len(met.memory) // 10)]:
        print(f"  after {at:.0f} s: server {memory['server']:.0f} MB")


def _keep(name: str, value: Any) -> None:
    """Add a measurement to those in the results' file."""
    path = RESULTS / "load.json"
    kept = json.loads(path.read_text())["load"] if path.exists() else {}
    keep("load", {"load": kept | {name: value}})


if __name__ == "__main__":
    main()

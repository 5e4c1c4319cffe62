"""Measure what looking inside takes, and what keeping the weights for it costs; print tables.

python -m benchmarks.inside keeping [--pairs N]     the same epoch with and without kept moments
python -m benchmarks.inside pages [--repetitions N]  layers, a map off, erasing, the first stroke
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from playwright.sync_api import Locator, Page

from benchmarks.browser import ROOT, chromium, open_when_up, server, settle
from benchmarks.machine import keep, machine, need_mnist, table
from core.data import mnist
from core.jobs.keeper import Keeper
from core.recipes import RECIPES
from core.runs import catalogue
from core.training import forming
from core.training.loop import train

_RECIPE = "simple_cnn"
GOALS = {
    "opening the app to “it read my 7”": 5.0,
    "a digit's layers: click to picture": 0.5,
    "a map switched off: to the new answer": 0.2,
    "a part erased: to the new answer": 0.2,
}
_LONG = 60_000  # ms
# Playwright looks again only after up to half a second. So the page itself notes when it is clicked
# or touched, and the first frame at whose start there is what was waited for.
_WAIT = """([kind, selector, text]) => {
  window.seconds = new Promise((resolve) => {
    addEventListener(kind, () => {
      const begin = performance.now();
      const look = () => {
        const found = [...document.querySelectorAll(selector)].some(
          (one) => one.checkVisibility() && (one.alt ?? one.textContent).includes(text));
        if (found) resolve((performance.now() - begin) / 1000);
        else requestAnimationFrame(look);
      };
      look();
    }, { capture: true, once: true });
  });
}"""


def epoch(kept: bool) -> float:
    """Train one epoch, with its moments written as in a run or without any; return seconds."""
    config = RECIPES[_RECIPE].config.changed({"epochs": 1})
    digits = mnist.load()
    keeper = Keeper(catalogue.create(config, digits.source, _RECIPE, "kept"))
    none = mock.patch.object(forming, "moments", return_value=frozenset())
    begin = time.perf_counter()
    if kept:
        for event in train(config, digits):
            if isinstance(event, forming.Moment):
                keeper.moment(event)
    else:
        with none:
            for _ in train(config, digits):
                pass
    keeper.close()
    return time.perf_counter() - begin


def keeping(pairs: int) -> None:
    """Print by how much keeping weights slows the first epoch, which has the most moments."""
    need_mnist()
    slower = []
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, DIGITLAB_RUNS=folder):
        epoch(kept=True)  # warm
        for number in range(pairs):
            order = (True, False) if number % 2 else (False, True)
            times = {kept: epoch(kept) for kept in order}
            slower.append(times[True] / times[False] - 1)
            print({kept: round(seconds, 2) for kept, seconds in times.items()}, flush=True)
    print(machine())
    low, high = min(slower), max(slower)
    print(f"{statistics.median(slower):+.1%}, {low:+.1%} to {high:+.1%}, {pairs} pairs of epochs")
    keep("keeping", {"recipe": _RECIPE, "pairs": pairs, "slower": slower})


def corner(part: Locator) -> tuple[float, float]:
    """Return where the left upper corner of a part is in the window."""
    box = part.bounding_box()
    if box is None:
        raise SystemExit("What is drawn on is not in sight.")
    return box["x"], box["y"]


def seconds(page: Page, kind: str, act: Callable[[], None], selector: str, text: str) -> float:
    """Return the seconds from an event of this kind, which `act` causes, to what follows from it.

    That is an element with this text in it, or a picture with this description.
    """
    page.evaluate(_WAIT, [kind, selector, text])
    act()
    return float(page.evaluate("window.seconds"))


def look(page: Page, address: str) -> dict[str, float]:
    """Go once from the first page to a misread digit's layers; return seconds, in GOALS' order."""
    begin = time.perf_counter()
    page.goto(address)
    canvas = page.locator("canvas").last
    canvas.wait_for()
    x, y = corner(canvas)
    page.mouse.move(x + 70, y + 60)
    page.mouse.down()
    page.mouse.move(x + 210, y + 60, steps=10)
    page.mouse.move(x + 110, y + 240, steps=10)
    page.mouse.up()
    page.get_by_text(re.compile("This looks like a 7|Not sure: 7")).first.wait_for(timeout=_LONG)
    read = time.perf_counter() - begin

    page.goto(f"{address}/evaluate")
    inside = page.get_by_role("button", name="See inside")
    inside.wait_for(timeout=_LONG)
    settle(page)
    layers = seconds(page, "click", inside.click, "img", "Dense 2 as bars")
    settle(page)

    maps = page.get_by_role("application", name=re.compile(r"^Convolution 1, \d+ maps"))
    maps.locator("canvas").click(position={"x": 1, "y": 1})  # the strongest map
    switch = page.get_by_text("Switch this map off")
    switch.wait_for()
    settle(page)
    off = seconds(page, "click", switch.click, "p", "1 map is off; otherwise")
    settle(page)
    sheet = page.locator("canvas[role=application]")
    sheet.scroll_into_view_if_needed()
    x, y = corner(sheet)
    page.mouse.move(x + 20, y + 100)
    erased = seconds(page, "pointerdown", page.mouse.down, "p", "A part is covered")
    page.mouse.up()
    return dict(zip(GOALS, (read, layers, off, erased), strict=True))


def pages(repetitions: int) -> None:
    """Print how long each takes on a warm server."""
    need_mnist()
    measured = []
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        mock.patch.dict(os.environ, DIGITLAB_RUNS=folder),
    ):
        subprocess.run(  # noqa: S603  # our own interpreter and module
            [*(sys.executable, "-m", "core", "train"), *("--preset", _RECIPE, "--set", "epochs=1")],
            cwd=ROOT,
            env={**os.environ, "DIGITLAB_RUNS": folder},
            check=True,
            capture_output=True,
        )
        with server(Path(folder)) as (address, _):
            first = browser.new_page(viewport={"width": 1440, "height": 1000})
            open_when_up(first, address)
            look(first, address)  # warm
            for _ in range(repetitions):
                page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
                measured.append(look(page, address))
                print({name: round(value, 2) for name, value in measured[-1].items()}, flush=True)
                page.context.close()
    rows = [["what", "median", "range", "goal"]]
    for name, goal in GOALS.items():
        values = [one[name] for one in measured]
        median = f"{statistics.median(values):.2f} s"
        rows.append([name, median, f"{min(values):.2f} to {max(values):.2f} s", f"{goal:.1f} s"])
    print(machine())
    print(table(rows))
    keep("inside", {"recipe": _RECIPE, "repetitions": repetitions, "measured": measured})


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["keeping", "pages"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    if options.what == "keeping":
        keeping(options.pairs)
    else:
        pages(options.repetitions)


if __name__ == "__main__":
    main()

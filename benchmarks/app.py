"""Measure the app as a person uses it, in Chromium; print the README's table.

python -m benchmarks.app [--repetitions N]
"""

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium, open_when_up, server, settle
from benchmarks.machine import RESULTS, keep, machine, need_mnist, table
from benchmarks.memory import resident

PAGES = ("Data", "Experiments", "Train", "Evaluate", "Draw", "Inside", "Sweeps", "Compare")
GOALS = {
    "app ready: first page drawn": 3.0,
    "page switch, the slowest": 0.4,
    "Start to the first point on the chart": 3.0,
    "while drawing: pen to bars": 0.15,
    "mouse-up to the new prediction": 0.5,
    "server, resident after every page": 1_200.0,
    "training process, resident": 900.0,
}
_POINTS = 60  # of the pen, 60 a second


def measure(browser: Browser, runs: Path) -> dict[str, float]:
    """Walk through the app once, from its start; return seconds and MB."""
    begin = time.perf_counter()
    with server(runs) as (address, pid):
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        open_when_up(page, address)
        page.locator("canvas").last.wait_for()  # one can draw
        ready = time.perf_counter() - begin
        settle(page)

        page.get_by_role("link", name="Train").click()
        page.get_by_role("button", name="Start", exact=True).wait_for()
        settle(page)
        begin = time.perf_counter()
        page.get_by_role("button", name="Start", exact=True).click()
        page.locator(".scatterlayer .js-line").first.wait_for(timeout=60_000)
        start = time.perf_counter() - begin
        ticket = next(runs.glob("queue/*/*"))
        trainer = int(ticket.read_text().partition("\n")[0])
        page.get_by_text("Epoch 3 of").first.wait_for(timeout=300_000)
        training = resident(trainer)
        while ticket.exists():  # until the run is over
            page.wait_for_timeout(200)

        switches = []
        for name in PAGES * 2:
            begin = time.perf_counter()
            page.get_by_role("link", name=name).click()
            page.get_by_role("heading", name=name, exact=True, level=1).wait_for()
            settle(page)
            switches.append(time.perf_counter() - begin)
        page.get_by_role("link", name="Draw").click()
        following, reading = draw(page)
        memory = resident(pid)
        page.close()
    second_round = switches[len(PAGES) :]
    return dict(
        zip(
            GOALS,
            (ready, max(second_round), start, following, reading, memory, training),
            strict=True,
        )
    )


# For each point of the pen: the milliseconds until bars are shown that were read with it.
_WATCH = """() => {
  const points = [], asked = [];
  window.lags = [];
  document.addEventListener("pointermove", () => points.push(performance.now()), true);
  const fetch = window.fetch;
  window.fetch = (...args) => {
    if (String(args[0]).includes("api/read")) asked.push(performance.now());
    return fetch(...args);
  };
  document.querySelector(".st-key-draw-bars .drawing")
    .addEventListener("digitlab-shares", ({ detail }) => {
      if (!detail) return;
      const now = performance.now(), begun = asked.at(-1);
      while (points.length && points[0] <= begun) window.lags.push(now - points.shift());
    });
}"""


def draw(page: Page) -> tuple[float, float]:
    """Draw a 7 with the mouse; return the seconds from pen to bars, and from mouse-up to answer.

    The first is the median over the points of the pen.
    """
    canvas = page.locator("canvas").last
    canvas.wait_for()
    page.locator(".st-key-draw-bars .main-svg").first.wait_for()
    settle(page)
    box = canvas.bounding_box()
    if box is None:
        raise SystemExit("The canvas is not in sight.")
    page.evaluate(_WATCH)
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    for step in range(_POINTS):
        share = step / _POINTS
        x, y = (80 + 240 * share, 60) if share < 0.5 else (280 - 160 * share, 320 * share - 100)
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.wait_for_timeout(16)
    page.wait_for_timeout(500)  # for the last answer
    following = statistics.median(page.evaluate("window.lags")) / 1000
    early = page.locator(".digitlab-early")
    begin = time.perf_counter()
    page.mouse.up()
    early.wait_for(state="hidden")
    page.get_by_text(re.compile("This looks like|Not sure")).first.wait_for()
    return following, time.perf_counter() - begin


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    need_mnist()
    measured = []
    with chromium() as browser:
        for _ in range(options.repetitions):
            with tempfile.TemporaryDirectory() as folder:
                measured.append(measure(browser, Path(folder)))
            print(measured[-1], flush=True)
    rows = [["what", "median", "range", "goal"]]
    for name, goal in GOALS.items():
        values = [one[name] for one in measured]
        form = "{:.0f} MB" if goal > 100 else "{:.2f} s"
        rows.append(
            [
                name,
                form.format(statistics.median(values)),
                f"{form.format(min(values))} to {form.format(max(values))}",
                form.format(goal),
            ]
        )
    print(machine())
    print(f"Medians of {options.repetitions} starts.\n")
    print(table(rows))
    keep("app", {"repetitions": options.repetitions, "measured": measured})
    print(f"\nKept in {RESULTS / 'app.json'}")


if __name__ == "__main__":
    main()

"""Measure what a team experiences on a real MLflow server; print the README's table.

python -m benchmarks.team [--only store kills pace] [--trials N] [--kills N]
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.browser import chromium, open_when_up
from benchmarks.browser import server as app
from benchmarks.machine import RESULTS, keep, machine, table
from benchmarks.team_server import ROOT, Server, copies, database, serving
from core.config import TrainConfig
from core.runs import catalogue, files
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.sweeps import control, storage, sweep
from core.sweeps.space import space_from
from core.sweeps.sweep import ATTEMPTS, Outcome, Plan

_SECONDS = 60.0  # of the training that is watched
_TRIAL = TrainConfig(network="fast_cnn", epochs=1)
_STATES = "from core.runs import catalogue; print([str(run.state) for run in catalogue.listed()])"
_FIRST = (
    "import mlflow, time; from core.runs import catalogue; begin = time.perf_counter();"
    "found, complete = catalogue.known(); print(len(found), time.perf_counter() - begin)"
)
Rows = dict[str, list[str]]


def main() -> None:
    """Measure what the command line names; the other results stay as they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=("store", "kills", "pace"))
    parser.add_argument("--trials", type=int, default=40, help="of each sweep (40)")
    parser.add_argument("--kills", type=int, default=20, help="of the sweep's workers (20)")
    options = parser.parse_args()
    kept = RESULTS / "team.json"
    rows: Rows = json.loads(kept.read_text())["rows"] if kept.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["DIGITLAB_DATA"] = str(place / "no-data")  # the embedded digits
        parts = options.only or ("store", "kills", "pace")
        if "store" in parts:
            with (
                database() as port,
                serving(port, "mlflow", place, "--uvicorn-opts", "--access-log") as server,
            ):
                rows |= _store(server, place)
        if "kills" in parts:
            rows |= _kills(place / "kills", options.trials, options.kills)
        if "pace" in parts:
            rows |= _pace(place, options.trials)
    print(machine())
    print(table([["what", "measured", "goal"], *([name, *told] for name, told in rows.items())]))
    keep("team", {"rows": rows})


def _store(server: Server, place: Path) -> Rows:
    """Return what a watched training asks of the server, and what colleagues get of a run."""
    os.environ["MLFLOW_TRACKING_URI"] = server.address
    rows: Rows = {}
    try:
        rows |= _watched(server, place / "anna")
        rows |= _opened(server, place)
        print(rows, flush=True)
        server.database("TRUNCATE runs CASCADE")
        run = catalogue.create(TrainConfig(), "sample", "fast_cnn", "the newest")
        catalogue.log(run.id, [("best_validation_accuracy", 0.9, 1), ("epochs", 1, 1)])
        catalogue.move(run.id, State.FINISHED)
        server.database(copies(1_000))
        count, seconds = _python(_FIRST, place / "carl").split()
        rows[f"Compare with 1,000 runs: the first {count} rows"] = [
            f"{float(seconds):.2f} s",
            "2 s",
        ]
    finally:
        del os.environ["MLFLOW_TRACKING_URI"]
    return rows


def _watched(server: Server, runs: Path) -> Rows:
    """Train for a minute while the Train page is open in Chromium; count the requests."""
    with chromium() as browser, app(runs) as (address, _):
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        open_when_up(page, f"{address}/train")
        page.get_by_role("button", name="Start", exact=True).wait_for(timeout=60_000)
        time.sleep(5)  # for what a page asks when it is opened
        before = server.requests()
        with _training(server, runs) as (process, run):
            begin = time.monotonic()
            while time.monotonic() < begin + _SECONDS:
                page.wait_for_timeout(1_000)
            process.send_signal(signal.SIGINT)
            process.wait()
        page.wait_for_timeout(3_000)
        count = server.requests() - before
        epochs = catalogue.get(run).epochs
        page.close()
    what = "requests to the server: a training of one minute, watched"
    return {what: [f"{count}, in {epochs} epochs", "60"]}


def _opened(server: Server, place: Path) -> Rows:
    """Fetch a colleague's network while it learns, and after its machine died; ask wrong clocks."""
    rows: Rows = {}
    with _training(server, place / "anna") as (process, run_id):
        found = _until(lambda: run if (run := catalogue.get(run_id)).kept else None, run_id)
        rows["a colleague opens a run in progress"] = _fetched(found, place / "boris")
        _python("", place / "boris")
        ahead = "import time; right = time.time; time.time = lambda: right() + 60;"
        told = _python(ahead + _STATES, place / "boris")
        rows["a live run, by a clock that is a minute ahead"] = [told.split("'")[1], "running"]
        process.kill()
        process.wait()
        _until(lambda: catalogue.get(run_id).state == State.FAILED, run_id)
        rows["a colleague opens a run that died"] = _fetched(catalogue.get(run_id), place / "carl")
    return rows


def _fetched(run: Run, folder: Path) -> list[str]:
    own, os.environ["DIGITLAB_RUNS"] = os.environ.get("DIGITLAB_RUNS", ""), str(folder)
    begin = time.perf_counter()
    files.path(run, files.BEST)
    seconds = time.perf_counter() - begin
    os.environ["DIGITLAB_RUNS"] = own
    best = run.kept[files.LAST].epoch
    return [f"epoch {best} of {run.epochs}, {seconds:.2f} s", "its last complete epoch"]


@contextmanager
def _training(server: Server, runs: Path) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """Train on and on by the command line in a folder of its own; give the process, the run's id.

    Asks the database for it, not the server, whose requests are counted.
    """
    newest = "SELECT run_uuid FROM runs ORDER BY start_time DESC LIMIT 1"
    known = server.database(newest)
    process = subprocess.Popen(  # our own interpreter and module
        [sys.executable, "-m", "core", "train", "--set", "network=fast_cnn", "epochs=200"],
        cwd=ROOT,
        env={**os.environ, "DIGITLAB_RUNS": str(runs), "DIGITLAB_AUTHOR": "anna"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process, _until(lambda: server.database(newest).replace(known or "-", ""), "a run")
    finally:
        process.kill()
        process.wait()


def _python(code: str, runs: Path) -> str:
    """Run Python in a new process with a folder of its own; return what it prints."""
    return subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DIGITLAB_RUNS": str(runs)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _until(what: "Callable[[], Any]", name: str) -> Any:
    """Wait until something is there, and return it."""
    end = time.monotonic() + 120
    while not (found := what()):
        if time.monotonic() > end:
            raise SystemExit(f"{name} did not come about in two minutes.")
        time.sleep(0.2)
    return found


def _start(runs: Path, trials: int) -> None:
    os.environ["DIGITLAB_RUNS"] = str(runs)
    space = space_from({"learning_rate": "0.001:0.1:log"})
    plan = Plan(base=_TRIAL, recipe="fast_cnn", data="sample", space=space, trials=trials)
    control.start("search", plan, OWNER)


def _worker() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # our own interpreter and module
        [sys.executable, "-m", "core", "sweep", "work", "search", "--threads", "1"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kills(runs: Path, trials: int, kills: int) -> Rows:
    """Kill one of two workers again and again; see that every trial is done, and once.

    Settings whose worker has died ATTEMPTS times are given up, so the last attempt is spared.
    """
    _start(runs, trials)
    workers = [_worker(), _worker()]
    killed: list[tuple[float, str]] = []
    chance = random.Random(0)  # noqa: S311  # which worker, and when
    while len(killed) < kills and sweep.get("search").state != "finished":
        time.sleep(chance.uniform(2, 6))
        victim = chance.randrange(2)
        if not (going := _run_of(workers[victim])):
            continue  # it still loads, or has just ended a trial
        workers[victim].kill()
        workers[victim].wait()
        killed.append((time.time(), going))
        workers[victim] = _worker()
    for worker in workers:
        worker.wait()
    done = sweep.get("search")
    finished = sum(one.outcome == Outcome.FINISHED for one in done.trials)
    found = catalogue.listed()
    twice = sum(run.state == State.FINISHED for run in found) - finished
    names = {run.id: run.name for run in found}
    again = {run.name.removesuffix(" again"): run.started for run in found if "again" in run.name}
    waits = [
        again[names[run_id]] - at
        for at, run_id in killed
        if names[run_id] in again and again[names[run_id]] > at
    ]
    what = f"two workers, {trials} trials of one epoch, {len(killed)} kills: done, done twice"
    rows = {what: [f"{finished} of {trials}, {twice}", "all, none"]}
    if waits:
        told = f"{max(waits):.0f} s at most, of {len(waits)}"
        rows["a killed worker's trial is taken up again after"] = [told, "30 s"]
    return rows


def _run_of(worker: "subprocess.Popen[bytes]") -> str:
    """Return the run that a worker trains now; empty without any, or at its last attempt."""
    with storage.opened("search") as study:
        found = [
            trial.user_attrs.get("run", "")
            for trial in study.get_trials(deepcopy=False)
            if trial.state.name == "RUNNING"
            and trial.user_attrs.get("process") == worker.pid
            and trial.user_attrs.get("attempt", 1) < ATTEMPTS
        ]
    return found[-1] if found else ""


def _pace(place: Path, trials: int) -> Rows:
    """Return how much faster two workers are than one, with one thread each."""
    rates = []
    for count in (1, 2):
        _start(place / f"pace-{count}", trials)
        workers = [_worker() for _ in range(count)]
        for worker in workers:
            worker.wait()
        ended = time.time()
        began = min(run.started for run in catalogue.listed())
        rates.append(trials / (ended - began))
    what = f"two workers' pace to one's, one thread each, {trials} trials"
    told = f"{rates[1] / rates[0]:.2f} ({rates[0]:.2f} and {rates[1]:.2f} trials a second)"
    return {what: [told, "1.8"]}


if __name__ == "__main__":
    main()

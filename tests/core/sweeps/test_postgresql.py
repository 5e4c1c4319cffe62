"""Sweeps in PostgreSQL, as a team has them: the real server, started by the test."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.runs import catalogue
from core.runs.person import OWNER
from core.runs.run import State
from core.sweeps import confirmation, control, sweep, worker
from core.sweeps.sweep import Outcome

pytestmark = pytest.mark.slow


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty database, in use for sweeps. Root may not run PostgreSQL."""
    if not shutil.which("initdb") or not shutil.which("pg_ctl"):
        pytest.skip("PostgreSQL is not here: install Debian's package postgresql")
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    prefix = as_user if os.geteuid() == 0 else []
    # Pytest's folders are closed to other users, and sockets' paths must be short.
    folder = Path(subprocess.check_output([*prefix, "mktemp", "-d"], text=True, cwd="/").strip())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
    data = str(folder / "data")

    def call(*arguments: str, check: bool = True) -> None:
        subprocess.run(
            [*prefix, *arguments], check=check, cwd="/", stdout=subprocess.DEVNULL, timeout=60
        )

    call("initdb", "-D", data, "-U", "digitlab", "-A", "trust", "--no-sync")
    try:
        call("pg_ctl", "-w", "-D", data, "-l", str(folder / "log"), "-o", options, "start")
        address = f"postgresql+psycopg2://digitlab@127.0.0.1:{port}/postgres"
        monkeypatch.setenv("DIGITLAB_SWEEPS", address)
        yield address
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "stop", check=False)
        call("rm", "-rf", str(folder), check=False)


def two_workers() -> None:
    """Let two workers complete the sweep `search`."""
    command = [sys.executable, "-m", "core", "sweep", "work", "search", "--threads", "1"]
    workers = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in workers:
        _, told = one.communicate(timeout=120)
        assert one.returncode == 0, told


def test_workers_share_a_sweep_in_the_database(start: Any, database: str, own_runs: Path) -> None:
    """Two workers do every trial once, and nothing of the sweep is on this machine's disk."""
    start(trials=3, pruner="none")
    two_workers()
    trials = sweep.get("search").trials
    assert [one.outcome for one in trials] == [Outcome.FINISHED] * 3
    assert sorted(run.name for run in catalogue.listed()) == [f"search {n}" for n in range(1, 4)]
    assert not (own_runs / "sweeps.journal").exists()


def test_workers_confirm_from_the_database(start: Any, database: str) -> None:
    """Two workers train every seed once, and the winner's runs alone are tested."""
    start(trials=2)
    for accuracy in (0.8, 0.9):
        claimed = worker.claim("search")
        assert claimed
        catalogue.log(claimed[1].id, [("best_validation_accuracy", accuracy, 1)])
        catalogue.move(claimed[1].id, State.RUNNING)
        catalogue.move(claimed[1].id, State.FINISHED)
    worker.claim("search")
    control.confirm("search", 2, 2, OWNER)
    two_workers()
    now = sweep.get("search")
    assert [(one.outcome, one.attempts) for one in now.confirming] == [(Outcome.FINISHED, 1)] * 4
    verdict = confirmation.verdict(now)
    assert verdict and verdict.is_tested
    tested = {run.id for run in catalogue.listed() if run.test_accuracy is not None}
    assert tested == {one.run for one in verdict.winner.seeds}


def test_a_dead_workers_trial_is_taken_up_from_the_database(start: Any, database: str) -> None:
    """It keeps its settings; the bounds may have changed meanwhile, choices too."""
    start(trials=2, vary={"learning_rate": "0.001:0.1:log", "optimizer": "sgd,adam"})
    claimed = worker.claim("search")
    assert claimed
    catalogue.move(claimed[1].id, State.FAILED, "the training process died")
    control.bounds("search", {"learning_rate": "0.2:0.3", "optimizer": "adamw,adadelta"}, OWNER)
    again = worker.claim("search")
    assert again and again[1].name == "search 1 again"
    assert again[1].config == claimed[1].config
    new = worker.claim("search")
    assert new and 0.2 <= new[1].config.learning_rate <= 0.3
    assert new[1].config.optimizer in ("adamw", "adadelta")

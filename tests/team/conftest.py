"""A team's store as the README starts one: MLflow's server on PostgreSQL, both real."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks import team_server
from benchmarks.team_server import MLFLOW, ROOT, MissingError, Server, serving

__all__ = ["MLFLOW", "ROOT", "Member", "Server", "serving"]

Member = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def database() -> Iterator[int]:
    """The port of a PostgreSQL server of our own; without the programs, the tests are skipped."""
    with ExitStack() as at_the_end:
        try:
            port = at_the_end.enter_context(team_server.database())
        except MissingError as error:
            pytest.skip(str(error))
        yield port


@pytest.fixture(scope="session")
def server(database: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """MLflow's server on that database; `database` runs a statement of SQL there."""
    with serving(database, "mlflow", tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def team(server: Server, monkeypatch: pytest.MonkeyPatch, sample_only: None) -> Server:
    """That server without a run is the store in use, not known to this process yet."""
    from core.runs import catalogue, listing, store

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    monkeypatch.setenv(store.TIMEOUT, "20")  # while other tests keep the machine busy
    listing._known.clear()
    listing.forget()
    server.database("TRUNCATE runs, inputs, datasets CASCADE")
    assert catalogue.listed() == []
    return server


@pytest.fixture
def member(team: Server, tmp_path: Path) -> Iterator[Member]:
    """A function that runs Python as a member of the team: with a folder of its own.

    `member("anna", "-m", "core", "runs", clock=60)` has a clock that is a minute ahead. A process
    that still runs after the test is killed.
    """
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *arguments: str, clock: float = 0) -> "subprocess.Popen[str]":
        wrong = tmp_path / f"clock{clock:g}"
        wrong.mkdir(exist_ok=True)
        (wrong / "sitecustomize.py").write_text(
            f"import time\n_right = time.time\ntime.time = lambda: _right() + {clock}\n"
        )
        own = {
            "DIGITLAB_RUNS": str(tmp_path / name),
            "DIGITLAB_AUTHOR": name,
            "MLFLOW_TRACKING_URI": team.address,
            "PYTHONPATH": str(wrong) if clock else "",
        }
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()

"""The store's door: first creation, and every way in which it can be shut."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.config import TrainConfig
from core.errors import StoreError
from core.runs import catalogue, store


@pytest.mark.slow
def test_two_processes_can_create_the_store_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the same new store, and each its own run in it."""
    code = (
        "from core import runs; from core.config import TrainConfig;"
        "print(runs.create(TrainConfig(), 'sample').id)"
    )
    folder = tmp_path / "fresh"  # not made by the fixture
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "DIGITLAB_RUNS": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [error for _, error in answers] == ["", "", ""]
    ids = {out.strip() for out, _ in answers}
    monkeypatch.setenv("DIGITLAB_RUNS", str(folder))
    assert {run.id for run in catalogue.listed()} == ids and len(ids) == 3


def test_interrupted_creation_leaves_no_half_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process killed while creating the store leaves behind is not taken for a store."""
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "fresh"))
    unfinished = tmp_path / "fresh" / ".store-killed"
    unfinished.mkdir(parents=True)
    (unfinished / "store.db").write_bytes(b"half a store")
    assert catalogue.listed() == []


@pytest.mark.slow
def test_locked_store_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the file, the message names it; afterwards all is well."""
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    run = catalogue.create(TrainConfig(), "sample")
    other = sqlite3.connect(store.directory() / "store.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked by another program"):
        catalogue.rename(run, "new")
    other.execute("ROLLBACK")
    other.close()
    catalogue.rename(run, "new")
    assert catalogue.get(run.id).name == "new"


def test_read_only_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that can be read but not written gives its runs and refuses new ones."""
    monkeypatch.chdir(tmp_path)  # MLflow makes a folder of such an address's first part
    run = catalogue.create(TrainConfig(), "sample")
    uri = f"sqlite:///file:{store.directory()}/store.db?mode=ro&uri=true"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert [found.id for found in catalogue.listed()] == [run.id]
    with pytest.raises(StoreError, match="read-only"):
        catalogue.create(TrainConfig(), "sample")


def test_store_of_another_version_says_so(own_runs: Path) -> None:
    """A schema that this MLflow does not know is not touched."""
    with sqlite3.connect(own_runs / "store.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0123456789ab'")
    database.close()
    with pytest.raises(StoreError, match="another version of MLflow"):
        catalogue.listed()


def test_file_that_is_no_store_says_so(own_runs: Path) -> None:
    """Something else under the store's name is left as it is."""
    path = own_runs / "store.db"
    path.write_bytes(b"a diary, not a database " * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        catalogue.listed()
    assert path.read_bytes().startswith(b"a diary")


@pytest.mark.slow
def test_silent_team_store_is_reported_within_5_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and never answers costs 5 seconds once, then nothing for a while."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        begin = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            catalogue.listed()
        assert time.monotonic() - begin < 5
        begin = time.monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            catalogue.listed()
        assert time.monotonic() - begin < 0.1


def test_absent_team_store_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port at which nobody listens gets the same message."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(StoreError, match="does not answer"):
        catalogue.listed()

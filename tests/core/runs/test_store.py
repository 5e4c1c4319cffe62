"""The run store: its creation, and a message for every way in which it can fail."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from filelock import FileLock

from core.config import TrainConfig
from core.errors import StoreError
from core.runs import actions, catalogue, store
from core.runs.person import OWNER


@pytest.mark.slow
def test_two_processes_can_create_the_store_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find the same new store, and each its own run in it."""
    code = (
        "from core.runs import catalogue; from core.config import TrainConfig;"
        "print(catalogue.create(TrainConfig(), 'sample').id)"
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


@pytest.mark.slow
def test_interrupted_creation_leaves_no_half_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files left by a process killed while creating the store are not a store, and are removed."""
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "fresh"))
    unfinished = tmp_path / "fresh" / ".store-killed"
    unfinished.mkdir(parents=True)
    (unfinished / "store.db").write_bytes(b"half a store")
    assert catalogue.listed() == []
    assert not unfinished.exists()


@pytest.mark.slow
def test_locked_store_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the file, the message names it; afterwards all is well."""
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    run = catalogue.create(TrainConfig(), "sample")
    other = sqlite3.connect(store.directory() / "store.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    begin = time.monotonic()
    with pytest.raises(StoreError, match="locked by another program"):
        actions.rename(OWNER, run, "new")
    assert time.monotonic() - begin < 6
    other.execute("ROLLBACK")
    other.close()
    actions.rename(OWNER, run, "new")
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


@pytest.mark.parametrize("in_use", [False, True])
def test_store_that_was_cut_to_nothing_says_so(own_runs: Path, in_use: bool) -> None:
    """An empty file is not taken for an empty store, opened before or not."""
    if in_use:
        catalogue.create(TrainConfig(), "sample")
    os.truncate(own_runs / "store.db", 0)
    with pytest.raises(StoreError, match="is an empty file: its content was lost"):
        catalogue.listed()
    assert (own_runs / "store.db").stat().st_size == 0


def test_database_of_another_program_is_left_alone(own_runs: Path) -> None:
    """It gets no tables of ours, and the message names the file."""
    path = own_runs / "store.db"
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="the database of another program"):
        catalogue.listed()
    assert path.read_bytes() == before


def test_store_that_cannot_be_opened_says_so_at_once(own_runs: Path) -> None:
    """A folder under the store's name costs no retries."""
    (own_runs / "store.db").unlink()
    (own_runs / "store.db").mkdir()
    begin = time.monotonic()
    with pytest.raises(StoreError, match="cannot be used: unable to open"):
        catalogue.listed()
    assert time.monotonic() - begin < 5


def test_store_removed_while_in_use_says_so(own_runs: Path) -> None:
    """No empty store silently takes its place; once put back, it is used again."""
    run = catalogue.create(TrainConfig(), "sample")
    away = own_runs.rename(own_runs.with_name("away"))
    with pytest.raises(StoreError, match="was deleted while it was in use"):
        catalogue.listed()
    assert not own_runs.exists()
    away.rename(own_runs)
    assert [found.id for found in catalogue.listed()] == [run.id]


def test_store_replaced_while_in_use_is_the_one_read(own_runs: Path) -> None:
    """A backup put in place is read and written, not the file that was there before."""
    first = catalogue.create(TrainConfig(), "sample")
    shutil.copyfile(own_runs / "store.db", own_runs / "backup.db")
    catalogue.create(TrainConfig(), "sample")
    (own_runs / "backup.db").replace(own_runs / "store.db")
    assert [run.id for run in catalogue.listed()] == [first.id]
    actions.rename(OWNER, first, "written")
    with closing(sqlite3.connect(own_runs / "store.db")) as database:
        assert database.execute("SELECT name FROM runs").fetchall() == [("written",)]


@pytest.mark.parametrize("in_use", [False, True])
def test_deleted_experiment_says_so(in_use: bool) -> None:
    """The message says how to restore an experiment that was deleted in MLflow."""
    catalogue.create(TrainConfig(), "sample")
    with store.connect() as (client, experiment):
        client.delete_experiment(experiment)
    if not in_use:
        store._open.cache_clear()
    with pytest.raises(StoreError, match="mlflow experiments restore"):
        catalogue.create(TrainConfig(), "sample")


def test_full_disk_says_so() -> None:
    """When the database may not grow, the message says what to do; with room, all is well."""
    run = catalogue.create(TrainConfig(), "sample")
    points = [("step/loss", float(step), step) for step in range(2_000)]

    def limit(pages: int) -> None:
        with store.connect() as (client, _), client._tracking_client.store.engine.connect() as link:
            link.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limit(1)  # SQLite takes the pages that there are
    with pytest.raises(StoreError, match=r"is full. Free some space"):
        catalogue.log(run.id, points)
    limit(1_000_000)
    catalogue.log(run.id, points)


def test_any_failure_of_the_store_is_reported_and_bugs_are_not(own_runs: Path) -> None:
    """A database without its tables is a StoreError; a TypeError of ours stays one."""
    run = catalogue.create(TrainConfig(), "sample")
    with closing(sqlite3.connect(own_runs / "store.db")) as database:
        database.execute("ALTER TABLE runs RENAME TO lost")
    with pytest.raises(StoreError, match=r"cannot be used: .*no such table"):
        catalogue.get(run.id)
    with pytest.raises(TypeError), store.connect():
        raise TypeError("a bug")


def test_existing_store_is_opened_without_the_lock(own_runs: Path) -> None:
    """While another process holds the lock, an existing store opens."""
    store._open.cache_clear()
    with store.lock():
        assert catalogue.listed() == []


@pytest.mark.slow
def test_busy_lock_advises_patience() -> None:
    """The message for a busy store does not advise moving it away."""
    again = FileLock(store.directory() / "store.lock", timeout=0)
    told = pytest.raises(StoreError, match="Nothing is lost: try again")
    with store.lock(), told as refusal, store.connect():
        again.acquire()
    assert "away" not in str(refusal.value)


@pytest.mark.slow
def test_odd_characters_in_the_path_open_no_stray_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder's ?, #, % and spaces are part of its name."""
    folder = tmp_path / "what? #1 50%41" / "runs"
    monkeypatch.setenv("DIGITLAB_RUNS", str(folder))
    run = catalogue.create(TrainConfig(), "sample")
    assert [found.id for found in catalogue.listed()] == [run.id]
    assert {path.name for path in folder.iterdir()} == {"store.db", "store.lock", run.id}
    assert [path.name for path in tmp_path.iterdir()] == ["what? #1 50%41"]


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
        server.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                server.accept()[0].close()
        with pytest.raises(StoreError, match="does not answer"):
            catalogue.listed()
        with pytest.raises(BlockingIOError):
            server.accept()  # nobody has tried to connect again


def test_absent_team_store_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port without a server gives the same message."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{unused.getsockname()[1]}")
    with pytest.raises(StoreError, match="does not answer"):
        catalogue.listed()

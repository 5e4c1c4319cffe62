"""The run store's door: MLflow, embedded or a team's, and what its failures mean for a person.

`DIGITLAB_RUNS` (default `runs/`) holds the embedded store and each run's folder;
`MLFLOW_TRACKING_URI`, if set, names the team's store instead, and folders are copied to it.
"""

import errno
import json
import logging
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from core.errors import RunError, StoreError, UserError

if TYPE_CHECKING:  # mlflow takes 1.5 s: it is loaded when the store is first asked
    from mlflow import MlflowClient

# Read by MLflow when it is first imported.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


_EXPERIMENT = "digitlab"
PATIENCE = "MLFLOW_HTTP_REQUEST_TIMEOUT"  # seconds to wait for an answer of a team's store
os.environ.setdefault(PATIENCE, "3")
_SILENCE = 10  # seconds a store that did not answer is left alone
_BUSY = 4  # seconds to wait for another program that writes to the embedded store
_TABLES = {"alembic_version", "experiments", "runs"}  # in every version of MLflow's store


def directory() -> Path:
    """Return the folder of the embedded store, of all runs' files and of the queue."""
    return Path(os.environ.get("DIGITLAB_RUNS") or "runs").resolve()


def is_shared() -> bool:
    """Whether a team's store is in use rather than the embedded one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


# When each silent store may be asked again: one part of one page waits for it, not every part.
_silent_until: dict[str, float] = {}
_opened: set[Path] = set()  # the embedded stores that this process has found in place


@contextmanager
def connect() -> Iterator[tuple["MlflowClient", str]]:
    """Give the client and the experiment's id; what MLflow raises becomes a UserError."""
    team = os.environ.get("MLFLOW_TRACKING_URI")
    where = re.sub("//[^/@]*@", "//", team or str(directory()))  # without a password, for messages
    if time.monotonic() < _silent_until.get(where, 0):
        raise StoreError(_no_answer(where))
    try:
        yield _team(team) if team else _embedded(directory())
    except UserError:
        raise
    except Exception as error:  # MLflow, SQLAlchemy, requests and the disk: each has its own tree
        found = _explained(error, where)
        if found is None:
            raise
        if str(found) == _no_answer(where):
            _silent_until[where] = time.monotonic() + _SILENCE
        raise found from error


def lock() -> FileLock:
    """Return the lock under which the embedded store is created and a run is numbered."""
    return FileLock(directory() / "store.lock", timeout=60)


def purge(run_id: str) -> str:
    """Remove a run from the store for good, and its files from a team's store. Raises StoreError.

    A team's MLflow server hides the run's entry and keeps it until `mlflow gc` is run there.
    Returns what had to stay of its files, in words; empty if nothing.
    """
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with connect() as (client, _):
        location = client.get_run(run_id).info.artifact_uri
        backend = client._tracking_client.store
        if hasattr(backend, "_hard_delete_run"):  # as `mlflow gc` does it
            backend._hard_delete_run(run_id)
        else:
            client.delete_run(run_id)
    if is_shared():
        try:
            files: Any = get_artifact_repository(location, tracking_uri=client.tracking_uri)
            files.delete_artifacts()
        except Exception as error:  # each kind of storage has its own tree
            return (
                f"Its files stay in the team's store at {location}: {_first_line(error)}. Ask the "
                "people who run the store to remove them."
            )
    return ""


def _no_answer(where: str) -> str:
    return (
        f"The team's run store at {where} does not answer. Check the network and "
        "MLFLOW_TRACKING_URI; everything that needs no runs keeps working."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _explained(error: Exception, where: str) -> UserError | None:
    """Return what a failure of the store means for a person; None for what is a bug of ours."""
    text = str(error)
    if "not found" in text and "Run" in text:
        return RunError("There is no such run: it was deleted, or its id is wrong.")
    if isinstance(error, Timeout):
        return StoreError(
            f"Other processes have kept the run store {where} busy for a minute. Nothing is lost: "
            "try again in a moment."
        )
    if "is locked" in text:
        return StoreError(
            f"The run store {where} is locked by another program. Close it and try again."
        )
    if "disk is full" in text or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(
            f"The disk that holds the run store {where} is full. Free some space and try again."
        )
    if "readonly database" in text or isinstance(error, PermissionError) or "Read-only" in text:
        return StoreError(
            f"The run store {where} is read-only. Give yourself write access, or set "
            "DIGITLAB_RUNS to a folder of your own."
        )
    if "out-of-date database schema" in text or "Can't locate revision" in text:
        return StoreError(
            f"The run store {where} was made by another version of MLflow than "
            f"{version('mlflow-skinny')}. Back it up and run `mlflow db upgrade`, or set "
            "DIGITLAB_RUNS to a new folder."
        )
    if "'active' state" in text:
        return StoreError(_experiment_deleted(where))
    return _failure(error, where)


def _failure(error: Exception, where: str) -> StoreError | None:
    """Return what any other failure of the store means; None for what is a bug of ours."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    silent = is_shared() and re.search(r"API request|HTTP|[Cc]onnection|[Tt]imed out", str(error))
    if silent or isinstance(error, RequestException):
        return StoreError(_no_answer(where))
    known = (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, json.JSONDecodeError)
    if not isinstance(error, known):
        return None
    if is_shared():
        return StoreError(
            f"The team's run store at {where} failed: {_first_line(error)}. Try again, or ask the "
            "people who run it."
        )
    return StoreError(
        f"The run store {where} cannot be used: {_first_line(error)}. Restore it from a backup, "
        "or set DIGITLAB_RUNS to a new folder."
    )


def _team(uri: str) -> tuple["MlflowClient", str]:
    directory().mkdir(parents=True, exist_ok=True)  # of this machine's files
    return _open(uri, None, None)


def _embedded(folder: Path) -> tuple["MlflowClient", str]:
    """Open the store in a folder, created if need be; one that is not ours is left as it is."""
    path = folder / "store.db"
    try:
        found = path.stat()
    except FileNotFoundError:
        if path in _opened:
            raise StoreError(
                f"The run store {path} was removed while it was in use. Put it back, or restart "
                "Digit Lab to begin an empty one."
            ) from None
        _create(path)
        found = path.stat()
    if found.st_size == 0:
        raise StoreError(
            f"The run store {path} is an empty file: its content was lost. Restore it from a "
            "backup, or remove it to begin an empty store."
        )
    opened = _open(_address(path, "rw"), folder.as_uri(), (path, found.st_dev, found.st_ino))
    _opened.add(path)
    return opened


def _address(path: Path, mode: str) -> str:
    """Return SQLAlchemy's address of a database; a ? or # in the path is part of its name.

    Mode "rw" never creates the file, "rwc" does.
    """
    return f"sqlite+pysqlite:///{path.as_uri()}?mode={mode}&uri=true"


def _create(path: Path) -> None:
    """Create an embedded store, unless another process just did."""
    from mlflow import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    with lock():
        for stale in path.parent.glob(".store-*"):  # of processes that were killed here
            shutil.rmtree(stale, ignore_errors=True)
        if path.exists():
            return
        _hush()
        # Made under another name: half a store, after a crash, would be one of no version.
        with tempfile.TemporaryDirectory(prefix=".store-", dir=path.parent) as unfinished:
            new = Path(unfinished) / "store.db"
            # A run's artifacts are in the folder in which it is written, and stay there.
            _experiment(MlflowClient(_address(new, "rwc")), path.parent.as_uri())
            new.replace(path)


def _hush() -> None:
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of each migration
    # It prints a traceback of each failure, of which our own message tells.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@lru_cache(maxsize=4)
def _open(
    uri: str, location: str | None, file: tuple[Path, int, int] | None
) -> tuple["MlflowClient", str]:
    """Open a store once a process, an embedded one again when its file was replaced.

    Returns its client and our experiment's id.
    """
    if file:
        _check(file[0])
    from mlflow import MlflowClient
    from sqlalchemy import event

    _hush()
    client = MlflowClient(uri)
    engine = getattr(client._tracking_client.store, "engine", None)
    if engine is not None:  # not a server's
        engine.dispose()  # MLflow's connections may be to the file that was replaced
        event.listen(engine, "before_cursor_execute", _hurry, retval=True)
    return client, _experiment(client, location)


def _check(path: Path) -> None:
    """Raise StoreError for another program's database: MLflow would add its tables to it."""
    uri = f"{path.as_uri()}?mode=rw"  # to read alone is not enough after a crash
    with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if not tables >= _TABLES:
        raise StoreError(
            f"{path} is not a run store but the database of another program. Move it elsewhere, "
            "or set DIGITLAB_RUNS to another folder."
        )


def _hurry(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """Shorten the 20 s for which MLflow lets each session wait for a locked database."""
    if statement.startswith("PRAGMA busy_timeout"):
        statement = f"PRAGMA busy_timeout = {_BUSY * 1000}"
    return statement, parameters


def _experiment_deleted(where: str) -> str:
    return (
        f"The experiment {_EXPERIMENT!r} of the run store {where} was deleted in MLflow. Restore "
        "it with `mlflow experiments restore`."
    )


def _experiment(client: "MlflowClient", location: str | None) -> str:
    """Return the id of our experiment, made if need be; a colleague may make it meanwhile."""
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(_EXPERIMENT)
    if experiment is None:
        try:
            return client.create_experiment(_EXPERIMENT, artifact_location=location)
        except MlflowException as error:
            experiment = client.get_experiment_by_name(_EXPERIMENT)
            if experiment is None:
                raise error
    if experiment.lifecycle_stage == "deleted":
        raise StoreError(_experiment_deleted(client.tracking_uri))
    return experiment.experiment_id

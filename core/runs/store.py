"""The connection to the run store, and the messages for its failures.

The store is MLflow's: embedded in `DIGITLAB_RUNS` (default `runs/`), which also holds each run's
folder, or a team's server, if `MLFLOW_TRACKING_URI` is set; folders are then copied there.
"""

import errno
import json
import logging
import os
import re
import shutil
import sqlite3
import sys
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

if TYPE_CHECKING:  # mlflow takes 1.5 s: it is loaded when the store is first used
    from mlflow import MlflowClient

# Read by MLflow when it is first imported.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# Its client would print a link for each run that it ends, among a command's JSON.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"


_EXPERIMENT = "digitlab"
TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"  # seconds to wait for a team's store to answer
os.environ.setdefault(TIMEOUT, "3")
_RETRY_AFTER = 10  # seconds until a store that did not answer is tried again
_LOCK_TIMEOUT = 4  # seconds to wait while another program writes to the embedded store
_TABLES = {"alembic_version", "experiments", "runs"}  # tables in every version of MLflow's store


def directory() -> Path:
    """Return the folder of the embedded store, of all runs' files and of the queue."""
    return Path(os.environ.get("DIGITLAB_RUNS") or "runs").resolve()


def is_shared() -> bool:
    """Return whether a team's store is in use, not the embedded one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


# The time at which each store that did not answer is tried again, so that a page waits only once.
_silent_until: dict[str, float] = {}
_opened: set[Path] = set()  # embedded stores that this process has opened


@contextmanager
def connect() -> Iterator[tuple["MlflowClient", str]]:
    """Yield MLflow's client and the experiment's id; turn errors of MLflow into UserErrors."""
    team = os.environ.get("MLFLOW_TRACKING_URI")
    where = _without_password(team or str(directory()))
    if time.monotonic() < _silent_until.get(where, 0):
        raise StoreError(no_answer(where))
    try:
        yield _team(team) if team else _embedded(directory())
    except UserError as error:
        if str(error) == no_answer(where):
            _silent_until[where] = time.monotonic() + _RETRY_AFTER
        raise
    except Exception as error:  # from MLflow, SQLAlchemy, requests or the disk: no common base
        found = _explained(error, where)
        if found is None:
            raise
        if str(found) == no_answer(where):
            _silent_until[where] = time.monotonic() + _RETRY_AFTER
        raise found from error


def load_for_training() -> None:
    """Import MLflow without pandas, which a training has no use for: 65 MB and 0.3 s less.

    MLflow does without pandas and pyarrow where they are missing, and so for the moment they are.
    This is for a process whose other threads import neither.
    """
    hidden = {"pandas", "pyarrow"} - sys.modules.keys()
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not to be found
    try:
        import mlflow  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]


def lock() -> FileLock:
    """Return the lock to hold while creating the embedded store or numbering a run."""
    return FileLock(directory() / "store.lock", timeout=60)


def purge(run_id: str) -> str:
    """Delete a run from the store, and its files from a team's store. Raises StoreError.

    A team's MLflow server only hides the run's entry, until `mlflow gc` is run there. Returns a
    message about files that could not be deleted; empty if there are none.
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
        except Exception as error:  # kinds of storage have no common base class
            return (
                f"Its files could not be deleted from the team's store at {location}: "
                f"{_first_line(error)}. Ask the store's administrators to delete them."
            )
    return ""


def _without_password(address: str) -> str:
    return re.sub("//[^/@]*@", "//", address)


def no_answer(where: str) -> str:
    """Return the message that a team's store does not answer, without its password."""
    where = _without_password(where)
    return (
        f"The team's run store at {where} does not answer. Check the network and "
        "MLFLOW_TRACKING_URI. Whatever does not need runs still works."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def _explained(error: Exception, where: str) -> UserError | None:
    """Return the UserError for a failure of the store; None for a bug in our code."""
    text = str(error)
    if is_shared() and re.search(r"\b(401|403)\b|not authenticated|Permission denied", text):
        return StoreError(
            f"The team's run store at {where} needs a user name and a password, or refuses yours. "
            "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; the store's administrators "
            "know them."
        )
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
            f"The run store {where} is read-only. Get write access to it, or set DIGITLAB_RUNS to "
            "another folder."
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
    """Return the StoreError for any other failure of the store; None for a bug in our code."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    silent = is_shared() and re.search(r"API request|HTTP|[Cc]onnection|[Tt]imed out", str(error))
    if silent or isinstance(error, RequestException):
        return StoreError(no_answer(where))
    known = (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, json.JSONDecodeError)
    if not isinstance(error, known):
        return None
    if is_shared():
        return StoreError(
            f"The team's run store at {where} failed: {_first_line(error)}. Try again, or ask "
            "its administrators."
        )
    return StoreError(
        f"The run store {where} cannot be used: {_first_line(error)}. Restore it from a backup, "
        "or set DIGITLAB_RUNS to a new folder."
    )


def _team(uri: str) -> tuple["MlflowClient", str]:
    directory().mkdir(parents=True, exist_ok=True)  # for the runs' files on this machine
    return _open(uri, None, None)


def _embedded(folder: Path) -> tuple["MlflowClient", str]:
    """Open the store in a folder, creating it if missing; never change a foreign database."""
    path = folder / "store.db"
    try:
        found = path.stat()
    except FileNotFoundError:
        if path in _opened:
            raise StoreError(
                f"The run store {path} was deleted while it was in use. Restore it, or restart "
                "Digit Lab to create an empty one."
            ) from None
        _create(path)
        found = path.stat()
    if found.st_size == 0:
        raise StoreError(
            f"The run store {path} is an empty file: its content was lost. Restore it from a "
            "backup, or delete it to create an empty store."
        )
    opened = _open(_address(path, "rw"), folder.as_uri(), (path, found.st_dev, found.st_ino))
    _opened.add(path)
    return opened


def _address(path: Path, mode: str) -> str:
    """Return SQLAlchemy's address of a database; ? and # in the path are escaped.

    Mode "rw" never creates the file, "rwc" does.
    """
    return f"sqlite+pysqlite:///{path.as_uri()}?mode={mode}&uri=true"


def _create(path: Path) -> None:
    """Create an embedded store, unless another process has just done so."""
    from mlflow import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    with lock():
        for stale in path.parent.glob(".store-*"):  # left by processes that were killed
            shutil.rmtree(stale, ignore_errors=True)
        if path.exists():
            return
        _quieten_mlflow()
        # Created under another name: after a crash, half a store would be unusable.
        with tempfile.TemporaryDirectory(prefix=".store-", dir=path.parent) as unfinished:
            new = Path(unfinished) / "store.db"
            # MLflow's location of a run's artifacts is the run's own folder.
            _experiment(MlflowClient(_address(new, "rwc")), path.parent.as_uri())
            new.replace(path)


def _quieten_mlflow() -> None:
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it logs each migration
    # It logs a traceback for each failure, which our own message already reports.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@lru_cache(maxsize=4)
def _open(
    uri: str, location: str | None, file: tuple[Path, int, int] | None
) -> tuple["MlflowClient", str]:
    """Return a store's client and our experiment's id.

    They are cached; an embedded store is opened again if its file was replaced.
    """
    if file:
        _check(file[0])
    from mlflow import MlflowClient
    from sqlalchemy import event

    _quieten_mlflow()
    client = MlflowClient(uri)
    engine = getattr(client._tracking_client.store, "engine", None)
    if engine is not None:  # not a server's
        engine.dispose()  # its connections may be to the replaced file
        event.listen(engine, "before_cursor_execute", _shorten_lock_timeout, retval=True)
    return client, _experiment(client, location)


def _check(path: Path) -> None:
    """Raise StoreError for another program's database, to which MLflow would add its tables."""
    uri = f"{path.as_uri()}?mode=rw"  # recovery after a crash needs write access
    with closing(sqlite3.connect(uri, uri=True, timeout=_LOCK_TIMEOUT)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    if not tables >= _TABLES:
        raise StoreError(
            f"{path} is the database of another program, not a run store. Move it elsewhere, or "
            "set DIGITLAB_RUNS to another folder."
        )


def _shorten_lock_timeout(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """Shorten the time that a session waits for a locked database, which MLflow sets to 20 s."""
    if statement.startswith("PRAGMA busy_timeout"):
        statement = f"PRAGMA busy_timeout = {_LOCK_TIMEOUT * 1000}"
    return statement, parameters


def _experiment_deleted(where: str) -> str:
    return (
        f"The experiment {_EXPERIMENT!r} of the run store {where} was deleted in MLflow. Restore "
        "it with `mlflow experiments restore`."
    )


def _experiment(client: "MlflowClient", location: str | None) -> str:
    """Return the id of our experiment; create it if another process has not done so."""
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

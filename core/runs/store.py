"""The run store's door: MLflow, embedded or a team's, and what its failures mean for a person.

`DIGITLAB_RUNS` (default `runs/`) holds the embedded store and each run's folder;
`MLFLOW_TRACKING_URI`, if set, names the team's store instead, and folders are copied to it.
"""

import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

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


def directory() -> Path:
    """Return the folder of the embedded store, of all runs' files and of the queue."""
    return Path(os.environ.get("DIGITLAB_RUNS") or "runs").resolve()


def is_shared() -> bool:
    """Whether a team's store is in use rather than the embedded one."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI"))


# When each silent store may be asked again: one part of one page waits for it, not every part.
_silent_until: dict[str, float] = {}


@contextmanager
def connect() -> Iterator[tuple["MlflowClient", str]]:
    """Give the client and the experiment's id; what MLflow raises becomes a UserError."""
    where = os.environ.get("MLFLOW_TRACKING_URI") or str(directory())
    if time.monotonic() < _silent_until.get(where, 0):
        raise StoreError(_no_answer(where))
    try:
        yield _open(where, str(directory()))
    except UserError:
        raise
    except Exception as error:  # MLflow, SQLAlchemy, requests and the disk: each has its own tree
        found = _explained(error, where)
        if found is None:
            raise
        if is_shared() and isinstance(found, StoreError):
            _silent_until[where] = time.monotonic() + _SILENCE
        raise found from error


def _no_answer(where: str) -> str:
    return (
        f"The team's run store at {where} does not answer. Check the network and "
        "MLFLOW_TRACKING_URI; everything that needs no runs keeps working."
    )


def _explained(error: Exception, where: str) -> UserError | None:
    """Return what a failure of the store means for a person; None for what is a bug of ours."""
    text = str(error)
    if "not found" in text and "Run" in text:
        return RunError("There is no such run: it was deleted, or its id is wrong.")
    if "database is locked" in text:
        return StoreError(
            f"The run store {where} is locked by another program. Close it and try again."
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
    if "not a database" in text or "malformed" in text or isinstance(error, OSError):
        from requests import RequestException

        if isinstance(error, RequestException):
            return StoreError(_no_answer(where))
        return StoreError(
            f"The run store {where} cannot be used: {text.splitlines()[0]}. Move it away, or set "
            "DIGITLAB_RUNS to a new folder."
        )
    if is_shared() and re.search(r"API request|HTTP|[Cc]onnection|[Tt]imed out", text):
        return StoreError(_no_answer(where))
    return None


@lru_cache(maxsize=4)
def _open(where: str, folder: str) -> tuple["MlflowClient", str]:
    """Open the store once a process; return its client and our experiment's id."""
    from mlflow import MlflowClient

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of each migration
    Path(folder).mkdir(parents=True, exist_ok=True)
    if is_shared():
        client = MlflowClient(tracking_uri=where)
        return client, _experiment(client, None)
    store = Path(folder) / "store.db"
    with FileLock(Path(folder) / "store.lock", timeout=60):
        if not store.exists():
            # Made under another name: half a store, after a crash, would be one of no version.
            with tempfile.TemporaryDirectory(prefix=".store-", dir=folder) as unfinished:
                new = Path(unfinished) / "store.db"
                # A run's artifacts are in the folder in which it is written, and stay there.
                location = Path(folder).as_uri()
                _experiment(MlflowClient(tracking_uri=f"sqlite:///{new}"), location)
                new.replace(store)
        client = MlflowClient(tracking_uri=f"sqlite:///{store}")
        return client, _experiment(client, Path(folder).as_uri())


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
    return experiment.experiment_id

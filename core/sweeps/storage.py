"""Where sweeps are stored: in a journal on one machine, or in a PostgreSQL database for several.

A sweep is an Optuna study. Its database is `DIGITLAB_SWEEPS`, which must not be MLflow's, since
both have a table of the same name.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from core.errors import SweepError
from core.runs.store import directory

if TYPE_CHECKING:  # optuna takes 0.8 s
    from optuna.storages import BaseStorage
    from optuna.study import Study

_DRIVER = "postgresql+psycopg2://"
_LOCK = 0x5EE9  # of PostgreSQL's advisory locks; any number that nobody else uses
_PATIENCE = 60  # seconds to wait for another process that changes a sweep


def names() -> list[str]:
    """Return the names of all sweeps. Raises SweepError."""
    import optuna

    if not _address() and not _journal().exists():
        return []
    with explained():
        return list(optuna.get_all_study_names(_storage()))


def create(name: str, plan: dict[str, object]) -> None:
    """Record a new sweep with its plan. Raises SweepError if the name is taken."""
    import optuna

    with locked(), explained():
        try:
            study = optuna.create_study(storage=_storage(), study_name=name, direction="maximize")
        except optuna.exceptions.DuplicatedStudyError:
            raise SweepError(
                f"There is a sweep called {name} already. Choose another name."
            ) from None
        study.set_user_attr("plan", plan)


def delete(name: str) -> None:
    """Delete a sweep with its trials. Raises SweepError."""
    import optuna

    with explained():
        optuna.delete_study(study_name=name, storage=_storage())


@contextmanager
def opened(name: str) -> Iterator["Study"]:
    """Yield a sweep's study. Raises SweepError if there is none, or it cannot be read or written.

    Hold the lock, `locked`, to do something that must not be done twice.
    """
    import optuna

    known = names()
    if name not in known:
        there = f"There are {', '.join(sorted(known)[:10])}." if known else "There is none yet."
        raise SweepError(f"There is no sweep called {name!r}. {there}")
    with explained():
        # Settings are proposed elsewhere: this sampler is never used, and costs nothing.
        yield optuna.load_study(
            study_name=name, storage=_storage(), sampler=optuna.samplers.RandomSampler()
        )


@contextmanager
def locked() -> Iterator[None]:
    """Hold the lock of all sweeps, on this machine or in the database.

    A process that dies releases it at once. Raises SweepError.
    """
    address = _address()
    if not address:
        with explained():
            directory().mkdir(parents=True, exist_ok=True)
            lock = FileLock(directory() / "sweeps.lock", timeout=_PATIENCE)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
        return
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    with explained():
        connection = create_engine(address, poolclass=NullPool).connect()
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
    try:
        yield
    finally:
        connection.close()  # releases the lock


def _address() -> str:
    """Return the address of the database, or nothing for the journal. Raises SweepError."""
    address = os.environ.get("DIGITLAB_SWEEPS", "")
    if address and not address.startswith(_DRIVER):
        raise SweepError(
            f"DIGITLAB_SWEEPS must be the address of a PostgreSQL database, beginning with "
            f"{_DRIVER}, or be unset: the sweeps are then on this machine only."
        )
    return address


def _journal() -> Path:
    return directory() / "sweeps.journal"


def _storage() -> "BaseStorage":
    return _open(_address(), _journal())


@lru_cache(maxsize=4)
def _open(address: str, journal: Path) -> "BaseStorage":
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if address:
        return RDBStorage(
            address,
            engine_kwargs={"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}},
        )
    journal.parent.mkdir(parents=True, exist_ok=True)
    lock = _JournalLock(journal)
    return JournalStorage(JournalFileBackend(str(journal), lock))  # type: ignore[arg-type]


class _JournalLock:
    """A lock of the journal that a killed process releases at once; Optuna's own lasts 30 s.

    It also cuts off an unfinished last line, left by a writer that was killed or out of space.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = FileLock(journal.with_name("sweeps.journal.lock"), timeout=_PATIENCE)

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._lock.acquire()
        with suppress(FileNotFoundError), self._journal.open("rb+") as file:
            end = file.seek(0, os.SEEK_END)
            if end and (file.seek(end - 1), file.read(1))[1] != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()


@contextmanager
def explained() -> Iterator[None]:
    """Turn failures of the disk and of the database into SweepErrors."""
    from filelock import Timeout
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except Timeout as error:
        raise SweepError(
            "Other processes have kept the sweeps busy for a minute. Try again in a moment."
        ) from error
    except (StorageInternalError, SQLAlchemyError) as error:
        where = re.sub("//[^/@]*@", "//", _address())
        raise SweepError(
            f"The sweeps' database at {where} does not answer. Check the network, the password and "
            "DIGITLAB_SWEEPS."
        ) from error
    except OSError as error:
        raise SweepError(
            f"The sweeps cannot be written to {directory()}: {error.strerror}. Free some space, or "
            "set DIGITLAB_RUNS to another folder."
        ) from error

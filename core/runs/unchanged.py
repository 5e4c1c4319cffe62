"""The embedded store's runs, read again only after somebody has written to it.

SQLite counts the commits of other connections (`PRAGMA data_version`). Reading that number takes
about 20 µs, reading the runs about 5 ms, and a page needs them several times.
"""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from core.runs import search
from core.runs.store import connect, directory

_PAGE = 1_000  # runs in one answer, the most that MLflow gives

_File = tuple[Path, int, int]  # a database's path, its device and its number there


def entries(condition: str = "") -> list[Any]:
    """Return MLflow's entries of the runs that meet a condition, newest first.

    The list is cached and shared, so do not change it. Raises StoreError.
    """
    with connect() as (client, experiment), _lock:
        version = _version()
        before, found = _known.get(condition, (None, []))
        if before != version:
            newest_first = {"order_by": ["attributes.start_time DESC"], "max_results": _PAGE}
            found = []
            for page in search.pages(client, experiment, condition, **newest_first):
                found += page
            _known[condition] = version, found
        return found


def _version() -> tuple[_File, int]:
    """Return the database in use, and a number that changes when others commit to it."""
    path = directory() / "store.db"
    status = path.stat()
    file = path, status.st_dev, status.st_ino
    if file not in _watching:
        for old in _watching.values():
            old.close()
        _watching.clear()
        _known.clear()
        _watching[file] = sqlite3.connect(
            f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
    with closing(_watching[file].execute("PRAGMA data_version")) as answer:
        return file, int(answer.fetchone()[0])


_lock = threading.Lock()  # guards what follows
_watching: dict[_File, sqlite3.Connection] = {}  # one, to the database in use
_known: dict[str, tuple[tuple[_File, int], list[Any]]] = {}  # by condition, of that database

"""A cache of a team's runs: all are read once, page by page, and then only what has changed.

Every run has the metric `changed`: the server's time at which Digit Lab last created, changed,
ended or deleted it, or recorded an epoch. So one small request finds all changes. Changes made in
MLflow's own pages are found when everything is read again, every few minutes, in the background.
"""

import os
import threading
import time
from typing import Any

from core.errors import StoreError
from core.runs import search, unchanged
from core.runs.clock import now
from core.runs.store import connect

CHANGED = "changed"
_FIRST, _PAGE = 50, 100  # runs in the first request, which a page waits for, and in the others
_REREAD = 300.0  # seconds until everything is read again
_LOOK = 6.0  # seconds for which the runs in progress are cached
_AGAIN = 1.0  # seconds for which changes are cached, since a page asks several times
# Seconds by which requests for changes overlap: the age of the cached runs in progress, and the
# difference between machines' estimates of the server's time.
_MARGIN = _LOOK + 5.0


def changed() -> Any:
    """Return the metric that tells other processes that a run was changed just now."""
    from mlflow.entities import Metric

    at = now()
    forget()
    return Metric(CHANGED, at, int(at * 1000), 0)


def entries(wait: bool = True) -> tuple[list[Any], bool]:
    """Return MLflow's entries of the team's runs, newest first, and whether these are all.

    If not `wait`, the rest of a large store is read in the background. Raises StoreError.
    """
    uri = os.environ["MLFLOW_TRACKING_URI"]
    return _known.setdefault(uri, _Known(uri)).look(wait)


class _Known:
    """The runs of one store that are known so far."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = threading.Lock()  # guards what follows
        self._entries: dict[str, Any] = {}
        self._since = 0.0  # the server's time up to which changes are known
        self._reading = threading.Lock()  # held while pages are read
        self._incoming = self._entries  # where pages go; the first time, they are visible at once
        self._complete = False
        self._began, self._token = 0.0, ""
        self._ended = time.monotonic()  # when the last complete reading ended

    def look(self, wait: bool) -> tuple[list[Any], bool]:
        """Return the entries as they are now, newest first, and whether these are all."""
        if not self._entries:
            with self._reading:
                if not self._entries and not self._complete:
                    self._page()
        if not self._complete and wait:
            self._read_on()
        elif not self._complete or time.monotonic() - self._ended > _REREAD:
            threading.Thread(target=self._in_background, daemon=True).start()
        self._update()
        with self._lock:
            found = sorted(
                self._entries.values(), key=lambda entry: entry.info.start_time or 0, reverse=True
            )
            return found, self._complete

    def _in_background(self) -> None:
        if not self._reading.locked():
            try:
                self._read_on()
            except StoreError:  # the next look tries again where it stopped
                return

    def _read_on(self) -> None:
        """Read the remaining pages, or all of them again if none remain."""
        with self._reading:
            if self._complete and time.monotonic() - self._ended < _REREAD:
                return
            while self._page():
                pass

    def _page(self) -> bool:
        """Read the next page; return whether there are more."""
        if os.environ.get("MLFLOW_TRACKING_URI") != self._uri:
            raise StoreError("Another store is in use by now.")
        with connect() as (client, experiment):
            if not self._token:
                self._began = now()
                self._incoming = {} if self._complete else self._entries
            page = client.search_runs(
                [experiment],
                order_by=["attributes.start_time DESC"],
                max_results=_PAGE if self._entries else _FIRST,
                page_token=self._token or None,
            )
        with self._lock:
            self._incoming.update({entry.info.run_id: entry for entry in page})
            self._since = self._since or self._began
            self._token = page.token or ""
            if not self._token:  # the next request includes what changed meanwhile
                self._entries, self._since = self._incoming, self._began
                self._complete, self._ended = True, time.monotonic()
        return bool(self._token)

    def _update(self) -> None:
        """Request changes and the runs in progress, unless that was just done."""
        if time.monotonic() < _updated.get(self._uri, 0.0) + _AGAIN:
            return
        _updated[self._uri] = time.monotonic()  # before asking, so that `forget` can undo it
        try:
            self._ask()
        except BaseException:
            _updated.clear()
            raise

    def _ask(self) -> None:
        from mlflow.entities import ViewType

        with connect() as (client, experiment):
            at = now()
            found: list[Any] = []
            condition = f"metrics.{CHANGED} > {self._since - _MARGIN:.3f}"
            how = {"run_view_type": ViewType.ALL, "max_results": _PAGE}
            for page in search.pages(client, experiment, condition, **how):
                found += page
        found = active() + found  # if a run is in both, the changed entry is newer
        with self._lock:
            for entry in found:
                if entry.info.lifecycle_stage == "deleted":
                    self._entries.pop(entry.info.run_id, None)
                else:
                    self._entries[entry.info.run_id] = entry
            self._since = max(self._since, at)


def active() -> list[Any]:
    """Return MLflow's entries of the runs that are queued or running. Raises StoreError.

    A team's runs are read again after _LOOK seconds, however many pages and visitors ask; those of
    the embedded store when somebody has written to it.
    """
    # Only these two states contain a u. MLflow has no "or", so the alternative is two requests.
    condition = "tags.state LIKE '%u%'"
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri:
        return unchanged.entries(condition)
    read, found = _active.get(uri, (0.0, []))
    if not read or time.monotonic() > read + _LOOK:
        with connect() as (client, experiment):
            found = list(client.search_runs([experiment], condition))
        _active[uri] = time.monotonic(), found
    return found


def forget() -> None:
    """Clear the cache, because this process changed a run."""
    _active.clear()
    _updated.clear()


_known: dict[str, _Known] = {}  # by the store's address
_updated: dict[str, float] = {}  # by the same: when changes were last requested
_active: dict[str, tuple[float, list[Any]]] = {}  # by the same: when runs in progress were read

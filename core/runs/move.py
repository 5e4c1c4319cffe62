"""Bring the runs of this machine's embedded store into the team's, which is in use.

The embedded store is only read. A run gets a new id in the team's store, and the tag `moved_from`
with the old id, so that a repeated move recognizes it. Its settings are written last: until then
nobody sees the run, and an interrupted move can be continued.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from core.errors import RunError, StoreError
from core.runs import catalogue, files, listing, sharing
from core.runs.run import Run, State
from core.runs.store import TIMEOUT, connect, directory, is_shared

if TYPE_CHECKING:  # mlflow takes 1.5 s: it is loaded when the store is first used
    from mlflow import MlflowClient
    from mlflow.entities import Metric

_FROM = "moved_from"
_PATIENCE = "30"  # seconds for the team's store to answer: no page waits, and files are large
_BATCH = 1_000  # metrics: the most that MLflow accepts at once


class Outcome(StrEnum):
    """What a move did with a run."""

    MOVED = "moved"
    THERE = "there already"
    LEFT = "in progress"


@dataclass(frozen=True)
class Moved:
    """A run of the embedded store, its id in the team's store (empty if it was left), and why."""

    run: Run
    new_id: str
    outcome: Outcome


def everything() -> Iterator[Moved]:
    """Move the runs that are over and not in the team's store yet, oldest first; yield every run.

    Runs in progress are skipped. Runs that were moved and then deleted from a team's server stay
    deleted. Runs of newer versions that this one cannot read are not touched. Raises StoreError if
    a store fails or no team's store is in use, and RunError if another process is moving runs.
    """
    if not is_shared():
        raise StoreError(
            "No team's store is in use. Set MLFLOW_TRACKING_URI to its address, then ask again."
        )
    if not (directory() / "store.db").exists():
        raise StoreError(
            f"There is no embedded store in {directory()}. Set DIGITLAB_RUNS to the folder that "
            "holds one."
        )
    with _alone():
        with _embedded():
            runs = catalogue.listed()[::-1]  # parents before the runs taught from them
        _refuse_same_store(runs)
        new_ids: dict[str, str] = {}
        for run in runs:
            if not run.state.is_over:
                yield Moved(run, "", Outcome.LEFT)
                continue
            with _environment(TIMEOUT, _PATIENCE):
                new_id, complete = _earlier(run)
                if not complete:
                    new_id = _move(run, new_id, new_ids)
            new_ids[run.id] = new_id
            yield Moved(run, new_id, Outcome.THERE if complete else Outcome.MOVED)


def summary(done: list[Moved]) -> str:
    """Return a summary of a move: how many runs were moved, and which were skipped."""
    count = {outcome: sum(one.outcome == outcome for one in done) for outcome in Outcome}
    text = f"Moved: {count[Outcome.MOVED]}; there already: {count[Outcome.THERE]}."
    if left := [one.run.name for one in done if one.outcome == Outcome.LEFT]:
        text += f" Still in progress: {', '.join(left)}. Move again when they are over."
    return f"{text} The store in {directory()} keeps its own."


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other processes from moving the same runs, which would duplicate them."""
    try:
        with FileLock(directory() / "move.lock", timeout=0):
            yield
    except Timeout as error:
        raise RunError(
            "Another process is moving these runs right now. Wait until it has ended."
        ) from error


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """Set an environment variable temporarily; None removes it."""
    before = os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def _embedded() -> Any:
    """Return a context in which the embedded store is in use, with its own clock."""
    return _environment("MLFLOW_TRACKING_URI", None)


def _refuse_same_store(runs: list[Run]) -> None:
    with connect() as (client, experiment):
        if runs and client.search_runs([experiment], f"attributes.run_id = '{runs[0].id}'"):
            raise StoreError(
                "MLFLOW_TRACKING_URI is the address of the embedded store itself. Set it to the "
                "team's."
            )


def _earlier(run: Run) -> tuple[str, bool]:
    """Return the run's id in the team's store, empty if none, and whether it is complete there.

    A server keeps the entry of a deleted run, which counts as complete.
    """
    from mlflow.entities import ViewType

    with connect() as (client, experiment):
        found = client.search_runs([experiment], f"tags.{_FROM} = '{run.id}'", ViewType.ALL)
    for entry in found:
        if "config" in entry.data.tags:
            return entry.info.run_id, True
    active = [entry for entry in found if entry.info.lifecycle_stage == "active"]
    return (active[0].info.run_id if active else ""), False


def _move(run: Run, new_id: str, new_ids: dict[str, str]) -> str:
    """Write a run into the team's store, continuing the entry `new_id` if there is one.

    `new_ids` maps the old ids of the runs moved so far to their new ones. Returns the new id.
    """
    from mlflow.entities import Param, RunTag

    with _embedded(), connect() as (client, _):
        entry = client.get_run(run.id)
        points = _points(client, entry)
    ended = max((point.timestamp for point in points), default=entry.info.start_time)
    tags = entry.data.tags | {_FROM: run.id}
    if run.taught_from:
        tags["taught_from"] = new_ids.get(run.taught_from, run.taught_from)
    for own in ("state", "reason"):  # which `catalogue.move` writes
        tags.pop(own, None)
    with connect() as (client, experiment):
        if not new_id:
            start = {_FROM: run.id, "state": State.QUEUED}
            created = client.create_run(experiment, entry.info.start_time, start, run.name)
            new_id = created.info.run_id
        client.log_batch(
            new_id, params=[Param(name, value) for name, value in entry.data.params.items()]
        )
        for first in range(0, len(points), _BATCH):
            client.log_batch(new_id, points[first : first + _BATCH])
        if run.folder.is_dir():
            sharing.publish(new_id, run.folder, files.epochs(run.epochs, run.best_epoch or 0))
        catalogue.move(new_id, run.state, run.reason)  # a dead process has not recorded its end
        status = catalogue.mlflow_status(run.state)
        client.set_terminated(new_id, status, entry.info.end_time or ended)
        client.log_batch(
            new_id,
            [listing.changed()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
    return new_id


def _points(client: "MlflowClient", entry: Any) -> "list[Metric]":
    """Return every point of a run's metrics, with their times."""
    return [
        point
        for name in entry.data.metrics
        if name != listing.CHANGED
        for point in client.get_metric_history(entry.info.run_id, name)
    ]

"""The catalogue of runs: create them, find them, and record their state and metrics.

A run counts as alive while its process keeps renewing the tag `alive_until`. A dead process is
detected when the run is read, so no other process has to watch it.
"""

import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from core.config import TrainConfig
from core.errors import ConfigError, RunError
from core.recipes import RECIPES
from core.runs import builtin, listing, membership, mlflow_view, numbering, search, unchanged
from core.runs.clock import now
from core.runs.person import OWNER, Person
from core.runs.run import BUILTIN, DIED, MOVES, Run, State, cleaned_name, folder_of, read
from core.runs.store import connect, is_shared, lock

if TYPE_CHECKING:  # mlflow takes 1.5 s: it is loaded when the store is first used
    from mlflow import MlflowClient

LEASE = 12.0  # seconds for which a run counts as alive after a renewal, every RENEW seconds
TEAM_LEASE = 20.0  # the same in a team's store, which is written to less often
RENEW = 2.0
_MOST_AT_ONCE = 1_000  # metrics in one request, the most that MLflow accepts

Point = tuple[str, float, int]  # a metric's name, its value, and its step or epoch
_START_LEASE = 60.0  # a new process may load its libraries from a slow disk first

_MLFLOW_STATUS = {
    State.QUEUED: "SCHEDULED",
    State.RUNNING: "RUNNING",
    State.FINISHED: "FINISHED",
    State.STOPPED: "KILLED",
}


def create(
    config: TrainConfig,
    data: str,
    recipe: str = "",
    name: str = "",
    parent: Run | None = None,
    taught_digits: int = 0,
    by: Person = OWNER,
    sweep: str = "",
) -> Run:
    """Add a new run to the store, queued. Raises StoreError, and RunError for an invalid name.

    Args:
        config: its settings.
        data: a key of `data.SOURCES`.
        recipe: the recipe that the settings started from, if any.
        name: at most NAME_LENGTH characters; by default the recipe's name, or the network's if
            that was changed, with a number that no other run has.
        parent: the run to fine-tune; the data it learned from are recorded with the new run.
        taught_digits: how many of my digits the new run learns from.
        by: whose run it is.
        sweep: the sweep that it is a trial of, if any; its test images are then
            withheld, unless its settings win.

    """
    from mlflow.entities import Param

    name = cleaned_name(name)
    with connect() as (client, experiment):
        known = recipe in RECIPES and RECIPES[recipe].config.network == config.network
        base = recipe if known else config.network
        tags = {
            "state": State.QUEUED,
            "alive_until": str(now() + _START_LEASE),
            "config": json.dumps(config.to_dict()),
            "recipe": recipe,
            "author": by.name or membership.author(),
            "owner": by.tag,
            "host": platform.node(),
            "data": data,
            **mlflow_view.source_tags(by.name or membership.author()),
        }
        if sweep:
            tags["sweep"] = sweep
        if parent:
            tags["taught_from"] = parent.id
            tags["taught_digits"] = str(taught_digits)
            tags["seen"] = " ".join(sorted({parent.data, *parent.seen} - {data}))
        with nullcontext() if name else lock():
            name = name or numbering.next_name(client, experiment, base)
            run = client.create_run(experiment, int(1000 * now()), tags, run_name=name)
        folder_of(run.info.run_id).mkdir(parents=True, exist_ok=True)
        client.log_batch(
            run.info.run_id,
            [listing.changed()],
            params=[Param(field, str(value)) for field, value in config.to_dict().items()],
        )
        return read(run)


def listed() -> list[Run]:
    """Return every run, newest first. Raises StoreError."""
    if is_shared():
        return _all_understood(listing.entries()[0])
    return _all_understood(unchanged.entries())


def known() -> tuple[list[Run], bool]:
    """Return the runs known so far, newest first, and whether these are all.

    A team's large store is read in the background: the newest runs are returned at once, and more
    with each call. Raises StoreError.
    """
    if not is_shared():
        return listed(), True
    found, complete = listing.entries(wait=False)
    return _all_understood(found), complete


def in_progress() -> list[Run]:
    """Return the running runs, then the queued ones, each oldest first. Raises StoreError.

    What is known of another machine's runs may be some seconds old.
    """
    entries = listing.active()
    found = _all_understood(entries)
    if mlflow_view.note_deaths(entries, {run.id for run in found if run.reason == DIED}):
        listing.forget()  # it has their old status
    going = [run for run in found if not run.state.is_over]
    return sorted(going, key=lambda run: (run.state == State.QUEUED, run.started))


def _all_understood(entries: Iterable[Any]) -> list[Run]:
    return [run for entry in entries if (run := _understood(entry))]


def _understood(entry: Any) -> Run | None:
    """Return MLflow's entry as a Run; None if a newer version or another program made it."""
    try:
        return read(entry) if "config" in entry.data.tags else None
    except ConfigError:
        return None


def get(run_id: str) -> Run:
    """Return the run with this full id; the built-in network has one too.

    Raises RunError, StoreError, and ConfigError if its settings are invalid in this version.
    """
    if run_id == BUILTIN:
        return builtin.run()
    with connect() as (client, _):
        entry = client.get_run(run_id)
        if entry.info.lifecycle_stage == "deleted":
            raise RunError(f"The run {run_id} was deleted.")
        return read(entry)


def watched(run_id: str) -> Run:
    """Return the run with this full id for watching it; a team's may be some seconds old.

    It uses the list that `in_progress` reads, so watching costs the team's server no more requests,
    however many watch. Raises as `get` does.
    """
    if is_shared():
        for entry in listing.active():
            if entry.info.run_id == run_id:
                return read(entry)
    return get(run_id)


def find(text: str) -> Run:
    """Return the run with this id, unique prefix of an id, or name.

    `latest`, `best` (the highest validation accuracy) and `built-in` are accepted too. Raises
    RunError if no run or several runs match.
    """
    if text == BUILTIN:
        return builtin.run()
    if re.fullmatch("[0-9a-f]{32}", text):
        return get(text)
    newest = next(_ordered(), None)
    if newest is None:
        raise RunError("There is no run yet. Train one: python -m core train")
    if text == "latest":
        return newest
    if text == "best":
        winner = best_stored()
        if winner is None:
            raise RunError(
                "No run has been validated yet on images that are new to its network. "
                "Train one: python -m core train"
            )
        return winner
    runs = listed()
    fits = [run for run in runs if run.name == text] or [
        run for run in runs if text and run.id.startswith(text)
    ]
    if len(fits) == 1:
        return fits[0]
    if not fits:
        raise RunError(f"There is no run {text!r}. `python -m core runs` lists them all.")
    ids = ", ".join(f"{run.id[:12]} ({run.name})" for run in fits[:5])
    raise RunError(f"{len(fits)} runs match {text!r}: {ids}. Give more of the id.")


def best(runs: list[Run]) -> Run | None:
    """Return the run with the highest validation accuracy, the first of equals; None if none has.

    Runs on the full MNIST rank before runs on the sample, whose small validation set gives high
    accuracies by chance. Runs that may have learned from their validation images are left out.
    """
    scored = [run for run in runs if run.validation_accuracy is not None and not run.seen]
    return max(
        scored,
        key=lambda run: (run.data == "mnist", run.validation_accuracy),
        default=None,
    )


def best_stored() -> Run | None:
    """Return the `best` of all stored runs, without reading them all. Raises StoreError."""
    for condition in ("tags.data = 'mnist'", ""):
        ranked = _ordered(condition, "metrics.best_validation_accuracy DESC")
        for run in ranked:
            if run.validation_accuracy is None:
                break  # runs without a validation accuracy come last
            if not run.seen:
                return run
    return None


def _ordered(condition: str = "", *order: str) -> Iterator[Run]:
    """Yield the runs that meet a condition in an order, newer ones first among equals."""
    with connect() as (client, experiment):
        how = {"order_by": [*order, "attributes.start_time DESC"], "max_results": 20}
        for page in search.pages(client, experiment, condition, **how):
            yield from _all_understood(page)


def stop_requested(run_id: str) -> bool:
    """Return whether the run was asked to stop."""
    with connect() as (client, _):
        return "stop" in client.get_run(run_id).data.tags


def set_tags(run_id: str, tags: dict[str, str]) -> None:
    """Set the run's tags; `state` and its `reason` go through `move`. Raises StoreError."""
    from mlflow.entities import RunTag

    tags = dict(tags)
    listing.forget()
    if "state" in tags:
        move(run_id, State(tags.pop("state")), tags.pop("reason", ""))
    with connect() as (client, _):
        client.log_batch(
            run_id,
            [] if set(tags) == {"alive_until"} else [listing.changed()],
            tags=[RunTag(key, str(value)) for key, value in tags.items()],
        )


def move(
    run_id: str,
    state: State,
    reason: str = "",
    points: Sequence[Point] = (),
    tags: Mapping[str, str] | None = None,
) -> bool:
    """Log a run's last points, move it to a state, and set MLflow's own status to match.

    A run that is over keeps its state if it is moved to another end. Returns whether somebody asked
    the run to stop. Raises StoreError, and RunError for an illegal move.
    """
    state, tags = State(state), dict(tags or {})
    with connect() as (client, _):
        entry = client.get_run(run_id)
        before, asked = entry.data.tags.get("state", ""), "stop" in entry.data.tags
        if before in [end for end in State if end.is_over] and state.is_over:
            _log(client, run_id, points, tags)
            return asked
        # A newer version's state, unknown here, counts as failed, so that the run can be resumed.
        known = State(before) if before in list(State) else State.FAILED
        if state != known and state not in MOVES[known]:
            raise RunError(f"A {known} run cannot become {state}. Start a new run.")
        _log(client, run_id, points, tags | {"state": state, "reason": reason}, changed=True)
        if state.is_over:
            client.set_terminated(run_id, mlflow_status(state), int(now() * 1000))
        elif entry.info.status != mlflow_status(state):
            client.update_run(run_id, status=mlflow_status(state))
        return asked


def mlflow_status(state: State) -> str:
    """Return the status that MLflow's own pages show for a state."""
    return _MLFLOW_STATUS.get(state, "FAILED")


def log(run_id: str, points: Sequence[Point], tags: Mapping[str, str] | None = None) -> None:
    """Append metrics, each a name, a value, and a step or epoch; then set tags.

    The tags `state` and `reason` are set by `move` only. Raises StoreError.
    """
    with connect() as (client, _):
        _log(client, run_id, points, tags or {})


def _log(
    client: "MlflowClient",
    run_id: str,
    points: Sequence[Point],
    tags: Mapping[str, str],
    changed: bool = False,
) -> None:
    from mlflow.entities import Metric, RunTag

    at = int(now() * 1000)
    entries = [Metric(name, value, at, step) for name, value, step in points]
    if changed or any(name in ("epochs", "test_accuracy") for name, _, _ in points):
        entries.append(listing.changed())
    while len(entries) > _MOST_AT_ONCE:
        client.log_batch(run_id, entries[:_MOST_AT_ONCE])
        del entries[:_MOST_AT_ONCE]
    if entries or tags:
        client.log_batch(
            run_id, entries, tags=[RunTag(key, str(value)) for key, value in tags.items()]
        )


def lease() -> dict[str, str]:
    """Return the tag that marks a run as alive for the next seconds. Raises StoreError."""
    return {"alive_until": str(now() + lease_seconds())}


def lease_seconds() -> float:
    """Return the seconds for which a run counts as alive after it renewed its lease."""
    return TEAM_LEASE if is_shared() else LEASE


def renew(run_id: str) -> None:
    """Mark a run as alive for the next seconds. Raises StoreError."""
    set_tags(run_id, lease())


def forfeit(run_id: str) -> None:
    """Mark a run whose process has died as failed now, before its lease ends."""
    if not get(run_id).state.is_over:
        set_tags(run_id, {"alive_until": "0"})

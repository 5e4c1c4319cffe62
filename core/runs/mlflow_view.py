"""What MLflow's own pages show of a run besides its metrics: its data set and its true status."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from core.data.digits import SOURCES
from core.errors import RunError, StoreError
from core.runs.clock import now
from core.runs.run import Run, non_negative
from core.runs.store import connect


def source_tags(author: str) -> dict[str, str]:
    """Return the tags that tell MLflow a run's author and program."""
    return {
        "mlflow.user": author,
        "mlflow.source.name": "Digit Lab",
        "mlflow.source.type": "LOCAL",
    }


def log_data(run: Run) -> None:
    """Record the data that a run learns from as its input. Raises StoreError."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    pixels = {"dtype": "uint8", "shape": [-1, 28, 28]}
    features = json.dumps([{"name": "image", "type": "tensor", "tensor-spec": pixels}])
    data = Dataset(
        name=SOURCES.get(run.data, run.data),
        digest=run.data_checksum[:36] or "unknown",
        source_type="local",
        source=json.dumps({"uri": run.data}),
        schema=json.dumps({"mlflow_tensorspec": {"features": features, "targets": None}}),
    )
    tags = [InputTag("mlflow.data.context", "training")]
    with connect() as (client, _):
        client.log_inputs(run.id, [DatasetInput(data, tags)])


def note_deaths(entries: Iterable[Any], dead: set[str]) -> bool:
    """Set the status of dead runs to FAILED in MLflow, ending when their lease did.

    Our own tag `state` does not change: a process that was only cut off from the store continues
    its run, see `revive`. Does nothing if the store does not allow it. Returns whether anything
    changed.
    """
    noted = False
    for entry in entries:
        if entry.info.run_id in dead and entry.info.status in ("RUNNING", "SCHEDULED"):
            alive = non_negative(entry.data.tags, "alive_until") or now()
            with suppress(StoreError, RunError), connect() as (client, _):
                client.set_terminated(entry.info.run_id, "FAILED", int(1000 * alive))
                noted = True
    return noted


def revive(run_id: str) -> None:
    """Restore the status of a run that others marked as dead. Raises StoreError."""
    with connect() as (client, _):
        client.update_run(run_id, status="RUNNING")

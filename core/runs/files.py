"""A run's files: their names, and where they are; fetched from the team's store where needed."""

from pathlib import Path

from core.errors import RunError
from core.runs import builtin
from core.runs.run import Run, folder_of
from core.runs.store import connect, is_shared

LAST, BEST, LOG = "last.pt", "best.pt", "log.txt"
START, EXTRA = "start.pt", "extra.npz"  # of a fine-tuned run: its first weights, further digits


def publish(run_id: str) -> None:
    """Copy a run's folder to a team's store; the embedded one keeps its files there already."""
    if is_shared():
        with connect() as (client, _):
            client.log_artifacts(run_id, str(folder_of(run_id)))


def path(run: Run, name: str) -> Path:
    """Return the path of one of the run's files, fetched from the team's store where needed.

    Raises RunError if the run has no such file.
    """
    if run.is_builtin and name == BEST:
        return builtin.WEIGHTS
    path = run.folder / name
    if not path.exists() and is_shared():
        with connect() as (client, _):
            if any(entry.path == name for entry in client.list_artifacts(run.id)):
                run.folder.mkdir(parents=True, exist_ok=True)
                client.download_artifacts(run.id, name, str(run.folder))
    if not path.exists():
        raise RunError(
            f"The run {run.name} has no {name} here: either it completed no epoch, or its files "
            "were removed. Choose another run."
        )
    return path

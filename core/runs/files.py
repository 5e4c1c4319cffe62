"""A run's files: their names, and where they are; fetched from the team's store where needed."""

import platform
import tempfile
from pathlib import Path

from core.errors import RunError, StoreError
from core.runs import builtin
from core.runs.run import Run, folder_of
from core.runs.store import connect, is_shared

LAST, BEST, LOG = "last.pt", "best.pt", "log.txt"
START, EXTRA = "start.pt", "extra.npz"  # of a fine-tuned run: its first weights, further digits
_FETCHED = ".fetched-"  # before a file's name: a note on how far the run was when it was fetched


def publish(run_id: str) -> None:
    """Copy a run's folder to a team's store; the embedded one keeps its files there already."""
    if is_shared():
        with connect() as (client, _):
            client.log_artifacts(run_id, str(folder_of(run_id)))


def own(run: Run) -> None:
    """Note that this machine goes on with the run: from now on, what lies in its folder is newest.

    Raises StoreError without space or permission.
    """
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        for note in run.folder.glob(f"{_FETCHED}*"):
            note.unlink()
    except OSError as error:
        raise StoreError(
            f"The folder {run.folder} cannot be written: {error.strerror}. Make space, or set "
            "DIGITLAB_RUNS to another folder."
        ) from error


def path(run: Run, name: str) -> Path:
    """Return the path of one of the run's files, fetched from the team's store where needed.

    A file that was fetched is fetched again once the run has gone on elsewhere. Raises RunError if
    the run has no such file.
    """
    if run.is_builtin:
        if name == BEST:
            return builtin.WEIGHTS
        raise RunError(f"The built-in network keeps no {name}.")
    path = run.folder / name
    if is_shared() and _is_outdated(run, name):
        _fetch(run, name)
    if not path.exists():
        raise RunError(
            f"The run {run.name} has no {name} here: either it completed no epoch, or its files "
            "were removed. Choose another run."
        )
    return path


def _is_outdated(run: Run, name: str) -> bool:
    """Whether a file is not here, or may be older than the team's store has it."""
    if not (run.folder / name).exists():
        return True
    note = run.folder / f"{_FETCHED}{name}"
    if note.exists():
        return note.read_text() != _how_far(run)
    return run.host not in ("", platform.node())  # written here, before it went on elsewhere


def _how_far(run: Run) -> str:
    return f"{run.state} {run.epochs} {run.best_epoch}"


def _fetch(run: Run, name: str) -> None:
    """Fetch a file, whole or not at all, if the team's store has it."""
    with connect() as (client, _):
        if not any(entry.path == name for entry in client.list_artifacts(run.id)):
            return
        run.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=run.folder) as unfinished:
            fetched = client.download_artifacts(run.id, name, unfinished)
            Path(fetched).replace(run.folder / name)
            (run.folder / f"{_FETCHED}{name}").write_text(_how_far(run))

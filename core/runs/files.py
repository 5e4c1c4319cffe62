"""A run's files: their names and paths, fetched from the team's store if needed."""

import platform
import tempfile
from pathlib import Path

from core.errors import RunError, StoreError
from core.runs import builtin
from core.runs.run import Run, folder_of
from core.runs.store import connect, is_shared

LAST, BEST, LOG = "last.pt", "best.pt", "log.txt"
FORMING = "forming.pt"  # the weights at chosen moments of the training
START, EXTRA = "start.pt", "extra.npz"  # of a fine-tuned run: initial weights, extra digits
_FETCHED = ".fetched-"  # prefix of the note beside a fetched file: the run's progress at that time


def publish(run_id: str) -> None:
    """Copy a run's folder to the team's store; does nothing with the embedded store."""
    if is_shared():
        with connect() as (client, _):
            client.log_artifacts(run_id, str(folder_of(run_id)))


def claim(run: Run) -> None:
    """Mark this machine's files of the run as the newest, because it trains here from now on.

    Raises StoreError without space or permission.
    """
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        for note in run.folder.glob(f"{_FETCHED}*"):
            note.unlink()
    except OSError as error:
        raise StoreError(
            f"The folder {run.folder} cannot be written: {error.strerror}. Free some space, or "
            "set DIGITLAB_RUNS to another folder."
        ) from error


def path(run: Run, name: str) -> Path:
    """Return the path of one of the run's files, fetched from the team's store if needed.

    A fetched file is fetched again after the run was trained further elsewhere. Raises RunError if
    the run has no such file.
    """
    if run.is_builtin:
        if name == BEST:
            return builtin.WEIGHTS
        raise RunError(f"The built-in network has no file {name}. Choose another run.")
    path = run.folder / name
    if is_shared() and _is_outdated(run, name):
        _fetch(run, name)
    if not path.exists():
        raise RunError(
            f"The file {name} of the run {run.name} is missing: the run completed no epoch, or its "
            "files were deleted. Choose another run."
        )
    return path


def _is_outdated(run: Run, name: str) -> bool:
    """Return whether a file is missing, or may be older than the one in the team's store."""
    if not (run.folder / name).exists():
        return True
    note = run.folder / f"{_FETCHED}{name}"
    if note.exists():
        return note.read_text() != _progress(run)
    return run.host not in (
        "",
        platform.node(),
    )  # written here before the run was resumed elsewhere


def _progress(run: Run) -> str:
    return f"{run.state} {run.epochs} {run.best_epoch}"


def _fetch(run: Run, name: str) -> None:
    """Fetch a file from the team's store if it is there; never leaves half a file."""
    with connect() as (client, _):
        if not any(entry.path == name for entry in client.list_artifacts(run.id)):
            return
        run.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=run.folder) as unfinished:
            fetched = client.download_artifacts(run.id, name, unfinished)
            Path(fetched).replace(run.folder / name)
            (run.folder / f"{_FETCHED}{name}").write_text(_progress(run))

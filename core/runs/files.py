"""A run's files: their names and paths, fetched from the team's store if needed."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from core.errors import RunError, StoreError
from core.runs import builtin, catalogue
from core.runs.kept import Kept
from core.runs.run import Run
from core.runs.sharing import checksum
from core.runs.store import connect, is_shared

LAST, BEST, LOG = "last.pt", "best.pt", "log.txt"
FORMING = "forming.pt"  # the weights at chosen moments of the training
START, EXTRA = "start.pt", "extra.npz"  # of a fine-tuned run: initial weights, extra digits
VALIDATION, TEST = "validation.npy", "test.npy"  # the best epoch's answers
STOP = ".stop"  # this file exists if somebody on this machine asked the run to stop
_TRAINED = ".trained-here"  # this file holds the folder's name for the tag `trained_in`
_ATTEMPTS = 3  # to fetch a file that the store may replace meanwhile


def epochs(epoch: int, best_epoch: int) -> dict[str, int]:
    """Return the files that a run may have after an epoch, each with the epoch it belongs to."""
    best = dict.fromkeys((BEST, VALIDATION, TEST), best_epoch)
    return best | {LAST: epoch, START: 0, EXTRA: 0}


def claim(run: Run) -> str:
    """Note that the run trains in its folder on this machine, and return a name for that folder.

    With that name in the run's tag `trained_in`, `path` knows where the newest files are. Raises
    StoreError without space or permission.
    """
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        mark = run.folder / _TRAINED
        if not mark.exists():
            mark.write_text(secrets.token_hex(8))
        return mark.read_text()
    except OSError as error:
        raise StoreError(
            f"The folder {run.folder} cannot be written: {error.strerror}. Free some space, or "
            "set DIGITLAB_RUNS to another folder."
        ) from error


def link(path: Path, name: Path) -> None:
    """Give a file a second name, which keeps its content when the first name is replaced.

    Raises OSError.
    """
    name.unlink(missing_ok=True)
    try:
        os.link(path, name)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, name)


def network_epoch(run: Run) -> int | None:
    """Return the epoch of the best network that is available here; None if there is none.

    A colleague's run may have a newer one, whose file has not reached the team's store yet.
    """
    sent = run.kept.get(BEST)
    if is_shared() and sent and not _trained_here(run):
        return sent.epoch
    return run.best_epoch


def path(run: Run, name: str) -> Path:
    """Return the path of the newest available version of one of the run's files.

    If the run trained elsewhere, the file is fetched from the team's store, and again whenever the
    store has a newer one. Raises RunError if the run has no such file.
    """
    if run.is_builtin:
        if name == BEST:
            return builtin.WEIGHTS
        raise RunError(f"The built-in network has no file {name}. Choose another run.")
    path = run.folder / name
    if is_shared() and not (path.exists() and _trained_here(run)):
        _bring(run, name)
    if not path.exists():
        raise RunError(_missing(run, name))
    return path


def _missing(run: Run, name: str) -> str:
    if run.state.is_over or not is_shared():
        return (
            f"The file {name} of the run {run.name} is missing: the run completed no epoch, or its "
            "files were deleted. Choose another run."
        )
    return (
        f"The file {name} of the run {run.name} is not in the team's store yet: it gets there some "
        "seconds after an epoch ends. Try again in a moment."
    )


def _trained_here(run: Run) -> bool:
    """Return whether the run was last trained in this folder, so that its files are the newest."""
    mark = run.folder / _TRAINED
    return run.trained_in != "" and mark.exists() and mark.read_text() == run.trained_in


def _bring(run: Run, name: str) -> None:
    """Replace a file in this folder by the store's version, if the store has one that differs."""
    for _ in range(_ATTEMPTS):
        sent = run.kept.get(name)
        if sent is None:
            _bring_unlisted(run, name)
            return
        if (run.folder / name).exists() and checksum(run.folder / name) == sent.sha256:
            return
        if _fetch(run, name, sent):
            return
        run = catalogue.get(run.id)  # it has sent a newer one meanwhile
    raise StoreError(
        f"The file {name} of the run {run.name} cannot be fetched from the team's store: what "
        "arrives is not what was sent. Try again in a moment."
    )


def _bring_unlisted(run: Run, name: str) -> None:
    """Fetch a file that the store may have without listing it, unless it is here.

    Runs of earlier versions list none of their files. Validation answers that were computed here
    with an earlier network are removed; test answers are always from the last network.
    """
    if run.kept and name == VALIDATION:
        (run.folder / name).unlink(missing_ok=True)
    elif not (run.folder / name).exists():
        _fetch(run, name, None)


def _fetch(run: Run, name: str, sent: Kept | None) -> bool:
    """Fetch a file completely or not at all; return whether it is the one that was sent."""
    run.folder.mkdir(parents=True, exist_ok=True)
    with (
        connect() as (client, _),
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=run.folder) as unfinished,
    ):
        if sent is None and not any(one.path == name for one in client.list_artifacts(run.id)):
            return False
        try:
            fetched = Path(client.download_artifacts(run.id, sent.at if sent else name, unfinished))
        except Exception as error:  # kinds of storage have no common base class
            if sent and "Failed to download" in str(error):  # it may have been replaced
                return False
            raise
        if sent and checksum(fetched) != sent.sha256:
            return False
        fetched.replace(run.folder / name)
    return True

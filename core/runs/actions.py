"""Actions of people on runs: stop, rename, note, label, pin, archive, delete, resume.

Every function takes the person who acts, and first checks with `own` whether they may. An edit
compares the stored value with the one that the person saw, so it never reverts another's change.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from core.errors import ChangedError, RunError, StoreError
from core.runs import catalogue, files, label_notes
from core.runs.person import Person
from core.runs.run import Run, State, cleaned_name, folder_of
from core.runs.store import connect, purge

_NOTE_LENGTH = 8_000  # characters: the longest tag that MLflow stores
_LABELS, _LABEL_LENGTH = 10, 30  # of one run; characters
_DELETED = ".deleted-"  # a folder of this prefix is being deleted


def own(by: Person, run: Run) -> Run:
    """Return the run as it is in the store now. Raises RunError if it is another person's."""
    now = catalogue.get(run.id)
    if not by.may_change(now.owner):
        raise RunError(
            f"The run {now.name} belongs to {now.author or 'somebody else'}, who alone can change "
            "it. Train your own run with its settings."
        )
    return now


def rename(by: Person, run: Run, name: str) -> None:
    """Rename a run. Raises RunError for an empty or invalid name, and ChangedError (see above)."""
    now = own(by, run)
    name = cleaned_name(name)
    if not name:
        raise RunError("A run needs a name. Type one.")
    _check_unchanged("name", run.name, now.name, name)
    with connect() as (client, _):
        client.update_run(run.id, name=name)
    catalogue.set_tags(run.id, {})  # tells others that it was changed


def note(by: Person, run: Run, text: str) -> None:
    """Set a run's note, which MLflow's own pages show too.

    Raises RunError if it is too long, and ChangedError (see above).
    """
    now = own(by, run)
    text = text.strip()
    if len(text) > _NOTE_LENGTH:
        raise RunError(
            f"The note is too long: {len(text):,} characters, and at most {_NOTE_LENGTH:,} are "
            "stored. Shorten it."
        )
    _check_unchanged("note", run.note, now.note, text)
    catalogue.set_tags(run.id, {"mlflow.note.content": text})


def label(by: Person, run: Run, text: str) -> None:
    """Set a run's labels, separated by commas, each once.

    Raises RunError for too many or too long ones, and ChangedError (see above).
    """
    now = own(by, run)
    labels = tuple(dict.fromkeys(word for part in text.split(",") if (word := cleaned_name(part))))
    if len(labels) > _LABELS or any(len(one) > _LABEL_LENGTH for one in labels):
        raise RunError(
            f"A run has at most {_LABELS} labels of {_LABEL_LENGTH} characters each, separated by "
            "commas. Shorten them."
        )
    _check_unchanged("labels", ", ".join(run.labels), ", ".join(now.labels), ", ".join(labels))
    catalogue.set_tags(run.id, {"labels": ",".join(labels)})


def pin(by: Person, run: Run, pinned: bool) -> None:
    """Pin a run to the top of the table of runs, or unpin it."""
    own(by, run)
    catalogue.set_tags(run.id, {"pinned": "true" if pinned else ""})


def archive(by: Person, run: Run, archived: bool) -> None:
    """Archive a run, which hides it from the table of runs by default, or restore it."""
    own(by, run)
    catalogue.set_tags(run.id, {"archived": "true" if archived else ""})


def _check_unchanged(what: str, seen: str, now: str, wanted: str) -> None:
    """Raise ChangedError if somebody else changed the value in the meantime."""
    if now not in (seen, wanted):
        raise ChangedError(
            f"Somebody else has changed the {what} in the meantime, to: {now or '(empty)'}. Save "
            "again to replace it with yours.",
            now,
        )


def delete(by: Person, run: Run) -> None:
    """Delete a run and its files permanently, and notes on labels that only this run used.

    Raises RunError while the run is in progress, StoreError if some files could not be deleted.
    """
    if not own(by, run).state.is_over:
        raise RunError(f"The run {run.name} is in progress. Stop it before deleting it.")
    catalogue.set_tags(run.id, {})  # a team's server keeps the entry, and tells others of it
    left = purge(run.id)
    remaining = _remove(folder_of(run.id).parent)
    notes = run.config.notes
    if notes and not any(other.config.notes == notes for other in catalogue.listed()):
        label_notes.forget(notes)
    if remaining.exists():
        left += f" Its folder {remaining} could not be deleted: delete it yourself."
    if left:
        raise StoreError(f"The run {run.name} was deleted. {left.strip()}")


def _remove(folder: Path) -> Path:
    """Delete a run's folder, and leftovers of earlier deletions; return the folder's last path.

    It is renamed first, so that a process that still trains cannot write into it meanwhile.
    """
    deleted = folder.with_name(f"{_DELETED}{folder.name}")
    try:
        folder.rename(deleted)
    except OSError:  # there is none, or the system does not rename a folder whose files are open
        deleted = folder
    for unwanted in (deleted, *folder.parent.glob(f"{_DELETED}*")):
        shutil.rmtree(unwanted, ignore_errors=True)
    return deleted


def request_stop(by: Person, run: Run) -> None:
    """Ask a run's process to stop. Raises RunError if it is over.

    The process checks every half second, or every 12 seconds on another machine of a team.
    """
    now = own(by, run)
    if now.state.is_over:
        raise RunError(f"The run {run.name} is not in progress: it is {now.state}.")
    catalogue.set_tags(run.id, {"stop": "true"})
    with suppress(OSError):  # it trains elsewhere, or finds the tag later
        (run.folder / files.STOP).touch()


def reopen(by: Person, run: Run) -> None:
    """Queue an ended run again, to be resumed, and clear an earlier request to stop.

    Raises StoreError, and RunError if the run is in progress or complete.
    """
    now = own(by, run)
    if not now.state.is_over:
        raise RunError(f"The run {run.name} is already in progress. Stop it first.")
    with connect() as (client, _):
        (run.folder / files.STOP).unlink(missing_ok=True)
        if "stop" in client.get_run(run.id).data.tags:
            client.delete_tag(run.id, "stop")
    catalogue.renew(run.id)
    catalogue.move(run.id, State.FAILED, now.reason)  # a dead process has not recorded its own end
    catalogue.move(run.id, State.QUEUED)
    catalogue.set_tags(run.id, {"warning": ""})

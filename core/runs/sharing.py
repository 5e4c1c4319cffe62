"""Copy a run's files to the team's store, so that no reader ever gets half a file.

During a run, a changed file goes to one of three folders, to a path that the tag `files` (see
`kept`) does not name; at the end it goes to its own name. The tag is written once all files are
there. Two files with the same content, such as `best.pt` and `last.pt` after the best epoch, are
sent once.
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.runs import catalogue, kept
from core.runs.kept import Kept
from core.runs.store import connect

if TYPE_CHECKING:  # mlflow takes 1.5 s: it is loaded when the store is first used
    from mlflow import MlflowClient

_LIVE = "live"
_TURNS = tuple(f"{_LIVE}/{turn}" for turn in "abc")  # at most two are named, so one is free


def checksum(path: Path) -> str:
    """Return a file's SHA-256, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def send(
    run_id: str, folder: Path, epochs: Mapping[str, int], known: Mapping[str, Kept] | None = None
) -> dict[str, Kept]:
    """Copy the files of a run in progress; return the files that the store then has.

    `epochs` are the files in `folder` by name, each with its epoch; `known` is what this returned
    last. Raises StoreError.
    """
    with connect() as (client, _):
        if known is None:
            known = kept.read(client.get_run(run_id).data.tags.get(kept.TAG, ""))
        found = _sent(client, run_id, folder, epochs, known, ended=False)
    if found != known:
        catalogue.set_tags(run_id, {kept.TAG: kept.written(found)})
    return found


def publish(
    run_id: str, folder: Path, epochs: Mapping[str, int], known: Mapping[str, Kept] | None = None
) -> None:
    """Copy the whole folder of a run that has ended, except hidden files. Raises StoreError.

    `known` is what `send` returned last, if this process sent any.
    """
    with connect() as (client, _):
        if known is None:
            known = kept.read(client.get_run(run_id).data.tags.get(kept.TAG, ""))
        found = _sent(client, run_id, folder, epochs, known, ended=True)
        for path in sorted(folder.rglob("*")):
            place = path.relative_to(folder)
            hidden = place.parts[0].startswith(".") or place.suffix == ".partial"
            if path.is_file() and not hidden and str(place) not in found:
                client.log_artifact(run_id, str(path), _parent(place))
    catalogue.set_tags(run_id, {kept.TAG: kept.written(found)})
    _clear(run_id, found)


def _sent(
    client: "MlflowClient",
    run_id: str,
    folder: Path,
    epochs: Mapping[str, int],
    known: Mapping[str, Kept],
    ended: bool,
) -> dict[str, Kept]:
    found: dict[str, Kept] = {}
    there = {one.sha256: one.at for one in known.values()}
    taken = {one.at for one in known.values()}
    for name, epoch in epochs.items():
        if not (folder / name).exists():
            continue
        before, content = known.get(name), checksum(folder / name)
        if before and before.sha256 == content and (not ended or before.at == name):
            at = before.at
        elif not ended and content in there:
            at = there[content]
        else:
            at = _place(name, taken, ended)
            client.log_artifact(run_id, str(folder / name), _parent(Path(at)))
            there[content] = at
        found[name] = Kept(at, content, epoch)
    return found


def _place(name: str, taken: set[str], ended: bool) -> str:
    """Return a free path for a file, which the tag does not name."""
    places = [name] if ended else []
    places += [f"{turn}/{name}" for turn in _TURNS]
    return next(place for place in places if place not in taken)


def _parent(place: Path) -> str | None:
    return None if place.parent == Path() else place.parent.as_posix()


def _clear(run_id: str, found: Mapping[str, Kept]) -> None:
    """Delete the copies made during the run; without permission, they stay."""
    if any(one.at.startswith(_LIVE) for one in found.values()):
        return
    with suppress(Exception), connect() as (client, _):  # kinds of storage have no common errors
        files: Any = client._tracking_client._get_artifact_repo(run_id)  # which knows the place
        files.delete_artifacts(_LIVE)

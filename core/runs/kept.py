"""Which of a run's files the team's store has: their path, checksum and epoch.

They are listed in a run's tag `files`. It is written after the files, which never replace the files
it named before, so a reader gets all files of an epoch while those of the next are being copied.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

TAG = "files"
_PATH = re.compile(r"(?:\w[\w.-]{0,99}/){0,3}\w[\w.-]{0,99}", re.ASCII)


@dataclass(frozen=True)
class Kept:
    """A file in the team's store."""

    at: str  # its path among the run's artifacts
    sha256: str
    epoch: int  # the epoch whose network or answers it has

    def __post_init__(self) -> None:
        """Refuse a path that leads elsewhere: others can write tags. Raises ValueError."""
        if not _PATH.fullmatch(self.at):
            raise ValueError(f"{self.at!r} is not a path of a run's file")


def read(tag: str) -> dict[str, Kept]:
    """Return the files that a tag names, by name; none if it cannot be read."""
    try:
        return {
            str(name): Kept(str(one["at"]), str(one["sha256"]), int(one["epoch"]))
            for name, one in json.loads(tag or "{}").items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def written(files: Mapping[str, Kept]) -> str:
    """Return the tag for these files."""
    return json.dumps({name: asdict(one) for name, one in files.items()})

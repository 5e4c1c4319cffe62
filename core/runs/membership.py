"""Who owns a run in a team's store: this machine, or another member."""

import getpass
import os
import platform

from core.runs.person import OWNER, Person
from core.runs.run import Run
from core.runs.store import is_shared


def author() -> str:
    """Return the author's name for runs that this machine's owner starts."""
    try:
        return os.environ.get("DIGITLAB_AUTHOR") or getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user id
        return "unknown"


def is_here(run: Run) -> bool:
    """Return whether a run trains or waits on this machine, by the machine's name."""
    return run.host == platform.node()


def is_anothers(by: Person, run: Run) -> bool:
    """Return whether a run is somebody else's, for a visitor or for this machine's owner.

    In a team's store, the owner may change other members' runs, as everybody there may, but rarely
    means to. So those count as somebody else's.
    """
    if is_shared() and by == OWNER:
        return not (is_here(run) or run.author == author())
    return not by.may_change(run.owner)

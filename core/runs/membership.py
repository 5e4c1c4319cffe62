"""Who owns a run in a team's store: this machine, or another member."""

import getpass
import os
import platform

from core.runs.person import OWNER, Person
from core.runs.run import Run
from core.runs.store import is_shared


def author() -> str:
    """Return the author of the runs of this machine's owner."""
    try:
        return os.environ.get("DIGITLAB_AUTHOR") or getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user id
        return "unknown"


def is_here(run: Run) -> bool:
    """Return whether a run trains, or waits to, on this machine, as its name tells."""
    return run.host == platform.node()


def is_anothers(by: Person, run: Run) -> bool:
    """Return whether a run is somebody else's, as a visitor or this machine's owner sees it.

    The owner may change a run of another member of the team, as everybody who reaches the store,
    but hardly means to.
    """
    if is_shared() and by == OWNER:
        return not (is_here(run) or run.author == author())
    return not by.may_change(run.owner)

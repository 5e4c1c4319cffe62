"""The runs that the visitor may see: all runs, or in a public demo their own and finished ones.

Pages get runs from here, never from the catalogue.
"""

from core.jobs import limits
from core.runs import builtin, catalogue
from core.runs.run import Run
from ui import people


def listed() -> list[Run]:
    """Return the runs, newest first. Raises StoreError."""
    return limits.seen(people.me(), catalogue.listed())


def known() -> tuple[list[Run], bool]:
    """Return the runs known so far, newest first, and whether these are all.

    Raises StoreError.
    """
    found, complete = catalogue.known()
    return limits.seen(people.me(), found), complete


def listed_with_builtin() -> list[Run]:
    """Return the runs that are `known`, then the built-in network. Raises StoreError."""
    return [*known()[0], builtin.run()]


def with_hardness(checksum: str) -> dict[str, Run]:
    """Return the runs that recorded hardness on these data, newest first, by id.

    Imported exports are left out: they have the setting, but not the record. Raises StoreError.
    """
    return {
        run.id: run
        for run in listed()
        if run.config.hardness
        and run.epochs
        and run.data_checksum == checksum
        and not (run.imported or run.taught_from)
    }


def in_progress() -> list[Run]:
    """Return the running runs, then the queued ones, each oldest first. Raises StoreError."""
    return limits.seen(people.me(), catalogue.in_progress())


def get(run_id: str) -> Run:
    """Return the run with this id. Raises RunError, StoreError."""
    return limits.get(people.me(), run_id)


def before(run: Run) -> int:
    """Return how many runs, anybody's, were requested before this one on the same machine."""
    return sum(
        other.started < run.started and other.host == run.host for other in catalogue.in_progress()
    )

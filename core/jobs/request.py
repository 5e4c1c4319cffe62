"""Ask for a run: enter it into the store and the queue, and start the process that does it."""

import os
from contextlib import suppress

from core.config import TrainConfig
from core.data import mnist
from core.errors import StoreError, UserError
from core.jobs import process, queue, standby
from core.runs import catalogue
from core.runs.files import LOG
from core.runs.run import Run
from core.runs.store import directory


def start(config: TrainConfig, data: str, recipe: str = "", name: str = "") -> Run:
    """Ask for a run and start its process, detached: it outlives the caller. Raises StoreError."""
    run = enqueue(config, data, recipe, name)
    launch(run)
    return run


def enqueue(
    config: TrainConfig,
    data: str,
    recipe: str = "",
    name: str = "",
    parent: Run | None = None,
    taught_digits: int = 0,
) -> Run:
    """Enter a run into the store and the queue; `launch` or the caller has to do the work.

    The arguments are those of `catalogue.create`. Raises StoreError.
    """
    run = catalogue.create(config, data, recipe, name, parent, taught_digits)
    queue.enter(queue.folder_for(config), run.id)
    return run


def launch(run: Run) -> None:
    """Start the process of a run in the queue, or give the run to the one on standby.

    Raises StoreError if its log cannot be written.
    """
    environment = worker_environment()

    def died() -> None:
        # What others find out when its lease ends, its starter knows now.
        with suppress(UserError):
            queue.leave(queue.folder_for(run.config), run.id)
            catalogue.forfeit(run.id)

    if standby.take(run.id, environment, died):
        return
    try:
        with (run.folder / LOG).open("ab") as log:
            process.launch(
                "core.jobs.worker", run.id, environment=environment, stderr=log, died=died
            )
    except OSError as error:
        died()
        raise StoreError(
            f"The run {run.name} could not be started: {error.strerror}: {run.folder}. Make space, "
            "or set DIGITLAB_RUNS to another folder."
        ) from error


def prepare() -> None:
    """Have a process on standby for the next `start`, so that its run begins seconds earlier.

    Only while no run is in progress: a training and a process on standby would share the memory.
    Raises StoreError.
    """
    if not catalogue.in_progress():
        standby.prepare(worker_environment())


def worker_environment() -> dict[str, str]:
    """Return the caller's environment, its folders as absolute paths."""
    data = str(mnist.directory().resolve())
    return {**os.environ, "DIGITLAB_RUNS": str(directory()), "DIGITLAB_DATA": data}

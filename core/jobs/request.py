"""Request a run: add it to the store and the queue, and start its process."""

import os
from collections.abc import Sequence
from contextlib import suppress

from core.config import TrainConfig
from core.data import mnist
from core.errors import RunError, StoreError, UserError
from core.jobs import limits, process, queue, standby
from core.runs import catalogue, membership, settings
from core.runs.files import LOG
from core.runs.person import OWNER, Person
from core.runs.run import Run
from core.runs.store import directory


def start(
    config: TrainConfig, data: str, recipe: str = "", name: str = "", by: Person = OWNER
) -> Run:
    """Request a run and start its process, which outlives the caller. Raises StoreError."""
    run = enqueue(config, data, recipe, name, by=by)
    launch(run)
    return run


def start_seeds(
    config: TrainConfig, data: str, recipe: str, name: str, seeds: Sequence[int], by: Person = OWNER
) -> list[Run]:
    """Start a run for each seed; if there are several, their names include the seed.

    Raises StoreError, and RunError beyond the limits of a public demo.
    """
    limits.check_places(by, len(seeds))
    return [
        start(config.changed({"seed": seed}), data, recipe, title, by)
        for seed, title in zip(seeds, names(name, seeds), strict=True)
    ]


def names(name: str, seeds: Sequence[int]) -> list[str]:
    """Return names for runs that differ in their seeds; empty names if `name` is empty."""
    return [f"{name}, seed {seed}" if name and len(seeds) > 1 else name for seed in seeds]


def start_again(run: Run, by: Person = OWNER) -> Run:
    """Start a run with the settings of another and a new seed, on the data in use.

    Raises StoreError, and RunError if the settings alone cannot repeat the run.
    """
    config, data = like(run), mnist.source()
    seeds = settings.new_seeds(config, data, catalogue.listed(), 1)
    return start_seeds(config, data, run.recipe, "", seeds, by)[0]


def like(run: Run) -> TrainConfig:
    """Return a run's settings, to train with them again.

    Raises RunError if it was taught from another run, or imported from ONNX.
    """
    if run.why_sealed:
        raise RunError(run.why_sealed)
    if run.taught_from:
        raise RunError(
            f"The run {run.name} was taught from another network, which its settings do not "
            "include. Choose a run that was trained from the start."
        )
    return run.config


def enqueue(
    config: TrainConfig,
    data: str,
    recipe: str = "",
    name: str = "",
    parent: Run | None = None,
    taught_digits: int = 0,
    by: Person = OWNER,
) -> Run:
    """Add a run to the store and the queue; `launch` starts it, or the caller trains it.

    The arguments are those of `catalogue.create`. Raises StoreError, and RunError beyond the limits
    of a public demo.
    """
    limits.check(config, data, by)
    with limits.place(by):
        run = catalogue.create(config, data, recipe, name, parent, taught_digits, by)
        queue.enter(queue.folder_for(config), run.id, by.tag)
    return run


def launch(run: Run) -> None:
    """Start the process of a queued run, or hand the run to the process on standby.

    Raises StoreError if its log cannot be written, and RunError if no process can be started.
    """
    environment = worker_environment()

    def died() -> None:
        # Without this, the run would look alive until its lease ends.
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
            f"The run {run.name} could not be started: {error.strerror}: {run.folder}. Free some "
            "space, or set DIGITLAB_RUNS to another folder."
        ) from error


def prepare(asks_store: bool = True) -> None:
    """Start a standby process, so that the next run begins seconds earlier.

    Does nothing while a run is in progress on this machine, which needs the memory for itself. If
    it may not ask the store, which takes seconds to open, it sees only runs that use the queue, and
    no sweep's. Raises StoreError.
    """
    if queue.owners():
        return
    if asks_store and any(membership.is_here(run) for run in catalogue.in_progress()):
        return
    standby.prepare(worker_environment())


def worker_environment() -> dict[str, str]:
    """Return this process's environment without its secret, and with absolute folders."""
    data = str(mnist.directory().resolve())
    kept = {name: value for name, value in os.environ.items() if name != "DIGITLAB_ADMIN"}
    return {**kept, "DIGITLAB_RUNS": str(directory()), "DIGITLAB_DATA": data}

"""Request an experiment: create its course, enter it into the queue, and start its process."""

import os
from contextlib import suppress
from pathlib import Path

from core.config import TrainConfig
from core.experiments import course
from core.experiments.course import Writer
from core.experiments.definition import Experiment
from core.jobs import limits, process, queue, request
from core.runs.person import OWNER, Person


def start(experiment: Experiment, by: Person = OWNER) -> str:
    """Start the process of an experiment, or join the one in progress; return its course.

    Raises StoreError, and RunError beyond the limits of a public demo. Even there, a visitor may
    join another's experiment, since a course holds nothing personal.
    """
    if name := course.going_on(experiment.slug):
        return name
    with limits.place(by):
        name = course.create(experiment.slug)
        queue.enter(folder(), name, by.tag)
    environment = request.worker_environment()
    if own := os.environ.get("DIGITLAB_EXPERIMENTS"):
        environment["DIGITLAB_EXPERIMENTS"] = os.path.abspath(own)  # noqa: PTH100 (may be missing)

    def died() -> None:
        with suppress(OSError):
            Writer(course.path_of(name)).write("over", problem=course.DIED, seconds=0)

    process.launch("core.experiments.conduct", name, environment=environment, died=died)
    return name


def cancel(name: str, by: Person = OWNER) -> None:
    """Cancel an experiment that waits or trains, but only if this person started it.

    Raises StoreError.
    """
    if by.may_change(queue.owner(folder(), name)):
        course.cancel(name)


def folder() -> Path:
    """Return the folder of the queue in which trainings on the processor wait."""
    return queue.folder_for(TrainConfig(device="cpu"))

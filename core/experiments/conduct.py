"""Conduct an experiment in this process: train its runs, and write its course.

python -m core.experiments.conduct COURSE
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch

from core.data import mnist
from core.data.digits import Digits
from core.data.splits import split_for
from core.errors import ExperimentError, UserError
from core.experiments import course, definition, findings, request
from core.experiments.course import Writer
from core.experiments.definition import Experiment, Part
from core.experiments.trained import Trained
from core.jobs import limits, queue
from core.training import checkpoint
from core.training.events import Ended, Epoch, Event, Started, Step
from core.training.loop import train

LONGEST = 120.0  # seconds that an experiment may take, so that it does not block other trainings
_ABREAST = 4  # up to this many runs train side by side; more train one after the other


def conduct(
    experiment: Experiment,
    digits: Digits,
    writer: Writer,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Train the runs of an experiment; write their progress and the findings.

    Runs train side by side, one event of each in turn, or one after the other if there are many.
    `cancelled` is called at each event. Raises ExperimentError if it returns True, or after LONGEST
    seconds, in a public demo sooner.
    """
    torch.set_num_threads(1)  # small networks train faster, and results are the same everywhere
    longest = limits.longest(LONGEST)
    deadline = time.monotonic() + longest
    shuffled = _shuffled(digits)
    given = [shuffled if part.shuffled else digits for part in experiment.runs]
    trainings = [
        train(part.config, images) for part, images in zip(experiment.runs, given, strict=True)
    ]
    abreast = len(trainings) <= _ABREAST
    done: dict[int, Trained] = {}
    per_epoch: dict[int, int] = {}
    for number, event in side_by_side(trainings) if abreast else _one_by_one(trainings):
        if cancelled():
            raise ExperimentError(course.CANCELLED)
        if time.monotonic() > deadline:
            raise ExperimentError(
                f"It took more than {longest:.0f} seconds and was stopped. Use fewer epochs or "
                "images, or a smaller network."
            )
        part = experiment.runs[number]
        if isinstance(event, Started):
            per_epoch[number] = event.steps_per_epoch
        elif isinstance(event, Step):
            epoch = event.step / per_epoch[number]
            writer.write("step", run=number, epoch=epoch, accuracy=event.accuracy)
        elif isinstance(event, Epoch):
            writer.write(
                "epoch",
                run=number,
                epoch=event.epoch,
                training=event.train_accuracy,
                validation=event.validation_accuracy,
            )
            done[number] = _trained(part, event, given[number], done.get(number))
        elif isinstance(event, Ended):
            writer.write("end", run=number, state=event.state, reason=event.reason)
            if not abreast:
                _write_findings(experiment, list(done.values()), digits, writer)
    if abreast:
        _write_findings(experiment, [done[number] for number in sorted(done)], digits, writer)


def _write_findings(
    experiment: Experiment, done: list[Trained], digits: Digits, writer: Writer
) -> None:
    for finding in findings.of(experiment, done, digits):
        writer.finding(finding)


def _trained(part: Part, event: Epoch, digits: Digits, before: Trained | None) -> Trained:
    """Return a run with the network of its best epoch so far."""
    if before and not event.is_best:
        return before
    network = checkpoint.network(event.checkpoint).eval()
    config = part.config
    split = split_for(digits, config.validation_size, config.train_size, config.seed)
    labels = digits.train_labels[split.validation]
    return Trained(part, network, event.probabilities, labels, event.validation_accuracy, digits)


def side_by_side(trainings: list[Iterator[Event]]) -> Iterator[tuple[int, Event]]:
    """Advance trainings in turn, one event each; yield their numbers and events.

    Each has its own state of torch's global generator, so its results are those of a run alone.
    """
    states: dict[int, torch.Tensor] = {}
    going = dict(enumerate(trainings))
    while going:
        for number, training in list(going.items()):
            if number in states:
                torch.set_rng_state(states[number])
            event = next(training, None)
            states[number] = torch.get_rng_state()
            if event is None:
                del going[number]
            else:
                yield number, event


def _one_by_one(trainings: list[Iterator[Event]]) -> Iterator[tuple[int, Event]]:
    for number, training in enumerate(trainings):
        yield from ((number, event) for event in training)


def _shuffled(digits: Digits) -> Digits:
    """Return the digits with the pixels of every image in the same random order."""
    order = np.random.default_rng(0).permutation(28 * 28)

    def mixed(images: np.ndarray) -> np.ndarray:
        return images.reshape(-1, 28 * 28)[:, order].reshape(-1, 28, 28)

    return replace(
        digits,
        train_images=mixed(digits.train_images),
        test_images=mixed(digits.test_images),
    )


def main(name: str) -> int:
    """Conduct the experiment of a course when it is its turn; return 0."""
    writer = Writer(course.path_of(name))
    begun = time.monotonic()
    seconds: Callable[[], float] = lambda: round(time.monotonic() - begun, 1)  # noqa: E731

    def cancelled() -> bool:
        return course.is_cancelled(name)

    def waiting() -> bool:
        writer.alive()
        return cancelled()

    slug = name.rpartition("-")[0]
    try:
        with queue.turn(request.folder(), name, waiting) as ours:
            begun = time.monotonic()
            if ours:
                conduct(definition.find(slug), mnist.load("sample"), writer, cancelled)
    except UserError as error:
        writer.write("over", problem=str(error), seconds=seconds())
    else:
        writer.write("over", problem="", seconds=seconds())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

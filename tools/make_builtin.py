"""Make the built-in network from the full MNIST and other people's pen digits.

    python -m tools.make_builtin [--strokes FILE …] [--detector-only]

trains the recipe `ink_cnn` on MNIST and the strokes, then for a few more epochs with flags on ones
and slashes through zeros. It writes the weights in 16 bits, the facts about the network, its card,
and the detector of non-digits (`tools.make_non_digits`). With --detector-only, it only makes the
detector, for the existing network. A FILE has JSON lines (`.jsonl`), or UNIPEN's text.
"""

import argparse
import json
import platform
import sys
import textwrap
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.config import TrainConfig, config_from
from core.data import mnist
from core.data.digits import Digits
from core.data.people import PenDigit
from core.data.splits import split_for
from core.errors import UserError
from core.evaluation import calibration, metrics
from core.evaluation.calibration import Calibration
from core.reading.reader import Reader
from core.recipes import RECIPES
from core.runs import answers, builtin
from core.runs.history import EPOCH_METRICS
from core.runs.run import BUILTIN, Run, State
from core.training import checkpoint
from core.training.checkpoint import Checkpoint
from core.training.events import Epoch, Event, Started
from core.training.loop import train
from tools import make_non_digits, pen_digits
from tools.pen_digits import Drawn

RECIPE = "ink_cnn"
PEOPLE = 36_000  # images of people's digits, in addition to MNIST's 55,000
LAST: dict[str, Any] = {"epochs": 4, "learning_rate": 0.002}  # settings of the last epochs
LAST_COPIES, LAST_PEOPLE = 2, 24_000  # in these: drawings of each digit, images as in PEOPLE
EMBELLISHED = 0.3  # share of the plain ones and zeros in these that get a flag or a slash
PEOPLE_MISTAKES = 0.005  # share of wrong answers among sure ones, on people it never learned from
_NOBODY: dict[str, float] = dict.fromkeys(("images", "writers_held_out"), 0)


def make(found: list[PenDigit]) -> None:
    """Train the network and write all its files. Raises DataError without the full MNIST.

    `found` are people's digits to learn from in addition.
    """
    digits = mnist.load("mnist")
    config = RECIPES[RECIPE].config
    people, embellished, held_out, others = None, None, None, _NOBODY
    if found:
        clean = pen_digits.without_wrong_labels(found, digits)
        learned, held = pen_digits.divided(clean)
        people, held_out = pen_digits.drawn(learned, seed=1), pen_digits.drawn(held, seed=2)
        embellished = pen_digits.drawn(learned, 5, LAST_COPIES, EMBELLISHED)
        others = {
            "images": PEOPLE,
            "digits": len(learned),
            "writers": len({digit.writer for digit in learned}),
            "writers_held_out": len({digit.writer for digit in held}),
            "labels_left_out": len(found) - len(clean),
            "last_images": LAST_PEOPLE,
            "first_epochs": config.epochs,
            "last_epochs": LAST["epochs"],
            "embellished": EMBELLISHED,
        }
        print(others, file=sys.stderr)
    extra = people.sample(PEOPLE, config.seed) if people else None
    trained = Trained.by(train(config, digits, extra=extra))
    if embellished:
        trained = trained.then(learn_embellished(trained, digits, embellished))
    finish(digits, trained, found, held_out, others)


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network, with weights in 16 bits, and the course of its training."""

    network: Checkpoint
    epochs: list[Epoch]
    started: Started

    @classmethod
    def by(cls, events: Iterable[Event]) -> "Trained":
        """Return the best network of a training, from its events."""
        events = list(events)
        [started] = [event for event in events if isinstance(event, Started)]
        epochs = [event for event in events if isinstance(event, Epoch)]
        best = [epoch for epoch in epochs if epoch.is_best][-1]
        return cls(halved(best.checkpoint), epochs, started)

    def then(self, later: "Trained") -> "Trained":
        """Return both trainings as one; the network is that of the later training's last epoch."""
        before, spent = len(self.epochs), self.epochs[-1].total_seconds
        epochs = self.epochs + [
            replace(one, epoch=before + one.epoch, total_seconds=spent + one.total_seconds)
            for one in later.epochs
        ]
        count = len(epochs)
        last: Checkpoint = {
            **halved(later.epochs[-1].checkpoint),
            "config": {**self.network["config"], "epochs": count},
            "epoch": count,
            "best_epoch": count,
        }
        steps = self.started.steps + later.started.steps
        return Trained(last, epochs, replace(self.started, steps=steps))


def learn_embellished(trained: Trained, digits: Digits, embellished: Drawn) -> Trained:
    """Continue training on MNIST and drawings of people's digits with flags and slashes."""
    config = config_from(trained.network["config"]).changed(LAST)
    extra = embellished.sample(LAST_PEOPLE, seed=1)
    return Trained.by(train(config, digits, start=trained.network, extra=extra))


def finish(
    digits: Digits,
    trained: Trained,
    found: list[PenDigit],
    held_out: Drawn | None,
    others: dict[str, float],
) -> None:
    """Write the network's files, make its detector of non-digits, and fit its calibration."""
    config = config_from(trained.network["config"])
    checkpoint.save(trained.network, builtin.WEIGHTS)
    facts = facts_of(digits, trained) | {"people": others}
    facts["run"] |= {
        "parameters": trained.started.parameters,
        "steps": trained.started.steps,
        "step": trained.started.steps,
        "device": trained.started.device.kind,
        "precision": trained.started.device.precision,
    }
    write(facts)
    make_non_digits.make(found)
    facts["run"]["calibration"] = asdict(fitted(config, digits, held_out))
    write(facts)


def halved(best: Checkpoint) -> Checkpoint:
    """Return a checkpoint with nothing but its weights, in 16 bits."""
    small: Checkpoint = {
        **best,
        "model_state_dict": checkpoint.halved(best["model_state_dict"]),
        "optimizer_state_dict": {},
        "scheduler_state_dict": {},
        "random_state": {},
    }
    small.pop("raw_state_dict", None)
    return small


def fitted(config: TrainConfig, digits: Digits, held_out: Drawn | None) -> Calibration:
    """Return the calibration of the network's readings.

    The temperature is fitted on MNIST's validation images. The threshold is the higher of two: one
    fitted on readings of these images, and one on readings of the held-out people's digits, of
    which a share of PEOPLE_MISTAKES may be wrong.
    """
    split = split_for(digits, config.validation_size, config.train_size, config.seed)
    images, labels = digits.train_images[split.validation], digits.train_labels[split.validation]
    weights = checkpoint.load(builtin.WEIGHTS)
    temperature = calibration.fit(answers.compute(weights, images), labels).temperature
    reader = Reader(builtin.run())
    reader.calibration = Calibration(temperature)

    def threshold(images: NDArray[np.uint8], labels: NDArray[np.uint8], mistakes: float) -> float:
        readings = reader.read(images.astype(np.float32) / np.float32(255))
        found = calibration.threshold(readings, labels, mistakes)
        return 1.0 if found is None else found

    found = [threshold(images, labels, calibration.SURE_MISTAKES)]
    if held_out is not None:
        found.append(threshold(*held_out.sample(20_000, seed=0), PEOPLE_MISTAKES))
    return Calibration(temperature, max(found))


def facts_of(digits: Digits, trained: Trained) -> dict[str, Any]:
    """Return the facts about the network in the form of `builtin.facts`, except its device."""

    def accuracy(source: Digits) -> float:
        return metrics.score(
            answers.compute(trained.network, source.test_images), source.test_labels
        )[1]

    epochs, best = trained.epochs, trained.network["best_epoch"]
    run = Run(
        id=BUILTIN,
        name=BUILTIN,
        state=State.FINISHED,
        reason="",
        warning="",
        config=config_from(trained.network["config"]),
        recipe=RECIPE,
        author="Digit Lab",
        host="",
        started=time.time(),
        data="mnist",
        data_checksum=digits.checksum,
        device="",
        precision="",
        versions={"python": platform.python_version()},
        commit="",
        note="comes with Digit Lab",
        steps=0,
        step=0,
        epochs=len(epochs),
        best_epoch=best,
        parameters=None,
        validation_accuracy=epochs[best - 1].validation_accuracy,
        last_validation_accuracy=epochs[-1].validation_accuracy,
        test_accuracy=accuracy(digits),
        train_seconds=epochs[-1].total_seconds,
        taught_from="",
        calibration=Calibration(sure_from=1.0),  # nothing is sure until `fitted`
    )
    return {
        "run": asdict(run),
        "bytes": builtin.WEIGHTS.stat().st_size,
        "sample_accuracy": accuracy(mnist.load("sample")),
        "epochs": [
            {"epoch": one.epoch} | {name: getattr(one, name) for name in EPOCH_METRICS}
            for one in epochs
        ],
        "ink": "Not measured yet: `python -m benchmarks.ink` does.",
    }


def write(facts: dict[str, Any]) -> None:
    """Write the facts, in the form of `builtin.facts`, and the card made from them."""
    builtin.FACTS.write_text(json.dumps(facts, indent=2) + "\n")
    builtin.facts.cache_clear()
    builtin.CARD.write_text(_card(facts))


_CARD = """# The built-in network

**What it is.** `{network}`, {parameters:,} parameters, {bytes:,} bytes: its weights are kept in 16
bits and compute in 32. It reads what is drawn or uploaded until you have a run of your own.

{how}

**How good it is.** {test_accuracy:.2%} of MNIST's 10,000 test images, {validation_accuracy:.2%} of
the 5,000 validation images. Of the 1,000 test images of the sample it reads {sample_accuracy:.2%},
which only shows that the file is whole: it may have learned from them.

**People's own digits.** {ink}

**What it cannot do.** It has ten classes and nothing else: a letter is read as the digit it looks
most like. A small network on its first layers, made by the same command, tells most non-digits from
digits, not all. Handwriting unlike that of its writers is misread more often. Digits that touch
count as one.
"""


_HOW_FROM_MNIST = """**How it was made.** `python -m tools.make_builtin`: the recipe `{recipe}`,
{epochs} epochs, seed {seed}, on 55,000 of MNIST's training images (LeCun, Cortes and Burges,
CC BY-SA 3.0), turned by up to {rotation:g}°, slanted by up to {shear:g}°, moved by up to {shift}
pixels and scaled by up to {scale:.0%}. The other 5,000 chose the epoch and fitted the temperature
({temperature:.3f})."""

_HOW_FROM_PEOPLE = """**How it was made.** `python -m tools.make_builtin --strokes
unipen-train.jsonl`: the recipe `{recipe}`, {first_epochs} epochs, seed {seed}, on 55,000 of MNIST's
training images (LeCun, Cortes and Burges, CC BY-SA 3.0) and {images:,} drawings of {digits:,}
digits that {writers} people wrote with a pen (UNIPEN train_r01_v07, section 1a; Guyon et al., 1994,
doi 10.5281/zenodo.1195803, CC BY 4.0), writers with many digits counting less for each.
{labels_left_out} labels that networks refuted which had not seen their writers were left out. Then
{last_epochs} more epochs, at a lower rate, on MNIST and {last_images:,} other drawings of these
digits, in which {embellished:.0%} of the plain ones got a flag, some a foot too, and as many of the
plain zeros a slash. All were turned by up to {rotation:g}°, slanted by up to {shear:g}°, moved by
up to {shift} pixels and scaled by up to {scale:.0%}. The other 5,000 training images of MNIST chose
the epoch of the first {first_epochs} and fitted the temperature ({temperature:.3f})."""

_SURE = """It is sure from a confidence of {sure_from:.4f}: the higher of two, one fitted on
MNIST's validation images, one on digits of {writers_held_out} people of UNIPEN from whom it did not
learn."""


def _card(facts: dict[str, Any]) -> str:
    """Return the model card's text from the facts."""
    run, people = facts["run"], facts["people"]
    values = {**facts, **people, **run, **run["config"], **run["calibration"]}
    how = _HOW_FROM_PEOPLE if people["images"] else _HOW_FROM_MNIST
    if people["writers_held_out"]:
        how += f"\n\n{_SURE}"
    text = _CARD.format(**values, how=how.format(**values))
    return "\n\n".join(textwrap.fill(part, 100) for part in text.split("\n\n")) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Make the network, or the detector only, from the files that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_builtin", description=__doc__)
    parser.add_argument("--strokes", metavar="FILE", nargs="+", type=Path, default=[])
    parser.add_argument("--detector-only", action="store_true", help="keep the network")
    options = parser.parse_args(arguments)
    try:
        found = pen_digits.read(options.strokes)
        (make_non_digits.make if options.detector_only else make)(found)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The network that is there from the first second: a file in the repository, and how it is made.

    python -m core.builtin RUN

makes it anew from a finished run on the full MNIST: weights of 16 bits, what is known of them, and
the model card.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core import checkpoint, data, evaluate, models, runs
from core.calibrate import Calibration
from core.checkpoint import Checkpoint
from core.config import config_from
from core.data import Digits
from core.errors import RunError, UserError
from core.predict import Reader, probabilities
from core.run import Run, State

NAME = "built-in"
_HERE = Path(__file__).parent
WEIGHTS, FACTS, CARD = (_HERE / f"builtin.{ending}" for ending in ("pt", "json", "md"))


def facts() -> dict[str, Any]:
    """Return what is known of it: the run's recipe and settings, accuracies in [0, 1], size."""
    content: dict[str, Any] = json.loads(FACTS.read_text())
    return content


def reader() -> Reader:
    """Return the network, ready to read."""
    return Reader(WEIGHTS, Calibration(**facts()["calibration"]))


def accuracy(network: Reader, digits: Digits) -> float:
    """Return the share in [0, 1] of a data set's test images that a network reads right."""
    answers = probabilities(network.model, digits.test_images, network.config)
    return evaluate.score(answers, digits.test_labels)[1]


def make(run: Run) -> None:
    """Write weights, facts and card from a run. Raises RunError if it is not one to show people."""
    if run.data != "mnist" or run.state != State.FINISHED:
        raise RunError(
            f"The built-in network needs a finished run on the full MNIST, not {run.name}."
        )
    best = checkpoint.load(runs.file(run, "best.pt"))
    weights = {
        name: value.half() if value.is_floating_point() else value
        for name, value in best["model_state_dict"].items()
    }
    checkpoint.save(
        Checkpoint(
            config=best["config"],
            epoch=best["epoch"],
            best_epoch=best["best_epoch"],
            best_accuracy=best["best_accuracy"],
            train_seconds=best["train_seconds"],
            model_state_dict=weights,
            optimizer_state_dict={},
            scheduler_state_dict={},
            random_state={},
        ),
        WEIGHTS,
    )
    network = Reader(WEIGHTS, run.calibration)
    known = {
        "recipe": run.recipe,
        "config": config_from(best["config"]).to_dict(),
        "parameters": models.parameter_count(network.model),
        "bytes": WEIGHTS.stat().st_size,
        "data_checksum": run.data_checksum,
        "commit": run.commit,
        "calibration": asdict(run.calibration),
        "validation_accuracy": run.validation_accuracy,
        "test_accuracy": accuracy(network, data.load("mnist")),
        "sample_accuracy": accuracy(network, data.load("sample")),
    }
    FACTS.write_text(json.dumps(known, indent=2) + "\n")
    CARD.write_text(_card(known))


_CARD = """# The built-in network

**What it is.** `{network}`, {parameters:,} parameters, {bytes:,} bytes: its weights are kept in 16
bits and compute in 32. It reads what is drawn or uploaded until there is a run of one's own.

**How it was made.** `python -m core train --preset {recipe}`, then `python -m core.builtin RUN`:
{epochs} epochs, seed {seed}, on 55,000 of MNIST's training images, turned by up to {rotation:g}°,
slanted by up to {shear:g}°, moved by up to {shift} pixels and scaled by up to {scale:.0%}. The
other 5,000 chose the epoch and fitted the temperature ({temperature:.3f}) and the confidence from
which it is sure ({sure_from:.4f}).

**How good it is.** {test_accuracy:.2%} of MNIST's 10,000 test images, {validation_accuracy:.2%} of
the 5,000 validation images. Of the 1,000 test images of the sample it reads {sample_accuracy:.2%},
which only shows that the file is whole: it may have learned from them. What it makes of people's
own pen digits is in the README.

**What it can't do.** It knows ten digits and nothing else: a letter is read as the digit it looks
most like, though often not surely. It has seen American handwriting of the 1990s, in which a 1 with
a long flag, a 7 with a bar and a 9 curled like a g are rare. Digits that touch count as one.
"""


def _card(known: dict[str, Any]) -> str:
    return _CARD.format(**{**known["config"], **known["calibration"], **known})


def main(arguments: list[str] | None = None) -> int:
    """Make it from the run that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m core.builtin", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="an id, a prefix of one, a name, latest or best")
    options = parser.parse_args(arguments)
    try:
        make(runs.find(options.run))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

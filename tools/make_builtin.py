"""Make the built-in network anew from a finished run on the full MNIST.

    python -m tools.make_builtin RUN

writes its weights in 16 bits, what is known of it, the model card, and what tells a digit from what
is none (`tools.make_non_digits`).
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from typing import Any

from core.data import mnist
from core.errors import RunError, UserError
from core.evaluation import metrics
from core.runs import answers, builtin, catalogue, files
from core.runs.history import read_history
from core.runs.run import BUILTIN, Run, State
from core.training import checkpoint
from core.training.checkpoint import Checkpoint
from tools import make_non_digits


def make(run: Run) -> None:
    """Write weights, facts and card from a run. Raises RunError if it is not one to show people."""
    if run.data != "mnist" or run.state != State.FINISHED:
        raise RunError(
            f"The built-in network needs a finished run on the full MNIST, not {run.name}."
        )
    best = checkpoint.load(files.path(run, "best.pt"))
    small: Checkpoint = {
        **best,
        "model_state_dict": checkpoint.halved(best["model_state_dict"]),
        "optimizer_state_dict": {},
        "scheduler_state_dict": {},
        "random_state": {},
    }
    small.pop("raw_state_dict", None)
    checkpoint.save(small, builtin.WEIGHTS)
    make_non_digits.make()

    def accuracy(source: str) -> float:
        digits = mnist.load(source)
        return metrics.score(answers.compute(small, digits.test_images), digits.test_labels)[1]

    told = replace(
        run,
        id=BUILTIN,
        name=BUILTIN,
        author="Digit Lab",
        host="",
        warning="",
        note="comes with Digit Lab",
        test_accuracy=accuracy("mnist"),
    )
    write(
        {
            "run": asdict(told),
            "bytes": builtin.WEIGHTS.stat().st_size,
            "sample_accuracy": accuracy("sample"),
            "epochs": read_history(run).epochs.to_dict("records"),
            "ink": "Not measured yet: `python -m benchmarks.ink` does.",
        }
    )


def write(facts: dict[str, Any]) -> None:
    """Keep what is known of it, as `builtin.facts` has it, and say it in the card."""
    builtin.FACTS.write_text(json.dumps(facts, indent=2) + "\n")
    builtin.facts.cache_clear()
    builtin.CARD.write_text(_card(facts))


_CARD = """# The built-in network

**What it is.** `{network}`, {parameters:,} parameters, {bytes:,} bytes: its weights are kept in 16
bits and compute in 32. It reads what is drawn or uploaded until there is a run of one's own.

**How it was made.** `python -m core train --preset {recipe}`, then `python -m tools.make_builtin
RUN`: {epochs} epochs, seed {seed}, on 55,000 of MNIST's training images, turned by up to
{rotation:g}°, slanted by up to {shear:g}°, moved by up to {shift} pixels and scaled by up to
{scale:.0%}. The other 5,000 chose the epoch and fitted the temperature ({temperature:.3f}) and the
confidence from which it is sure ({sure_from:.4f}).

**How good it is.** {test_accuracy:.2%} of MNIST's 10,000 test images, {validation_accuracy:.2%} of
the 5,000 validation images. Of the 1,000 test images of the sample it reads {sample_accuracy:.2%},
which only shows that the file is whole: it may have learned from them.

**People's own digits.** {ink}

**What it can't do.** It knows ten digits and nothing else: a letter is read as the digit it looks
most like. A small network on its features, made by `python -m tools.make_non_digits`, tells most of
what is no digit from digits, not all. It has seen American handwriting of the 1990s, in which a 1
with a long flag, a 7 with a bar and a 9 curled like a g are rare. Digits that touch count as one.
"""


def _card(facts: dict[str, Any]) -> str:
    run = facts["run"]
    return _CARD.format(**{**facts, **run, **run["config"], **run["calibration"]})


def main(arguments: list[str] | None = None) -> int:
    """Make it from the run that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_builtin", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="an id, a prefix of one, a name, latest or best")
    options = parser.parse_args(arguments)
    try:
        make(catalogue.find(options.run))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

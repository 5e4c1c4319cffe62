"""`python -m core export`, `import` and `move`: exchange runs with other programs and stores."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.commands import RUN_HELP, Command
from core.export.terms import LEARNED, PIXELS, TRY, UNKNOWN
from core.runs import catalogue


def add(command: Command) -> None:
    """Add this module's commands to the command line."""
    sub = command("export", _export, "write a run's files for other programs: ONNX, weights, …")
    sub.add_argument("run", metavar="RUN", help=RUN_HELP)
    sub.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="where to write them")

    sub = command("import", _import, "import an export, a network's weights, or an ONNX file")
    sub.add_argument(
        "path", metavar="PATH", type=Path, help="folder, .zip, .onnx, .safetensors, .pt, .pth"
    )
    sub.add_argument("--name", default="", help="what to call the run")
    sub.add_argument(
        "--learned",
        choices=list(LEARNED),
        default=UNKNOWN,
        help="what a network from another program learned from; mnist: MNIST's 60,000 training "
        "images and nothing else",
    )
    sub.add_argument(
        "--pixels",
        choices=[TRY, *PIXELS],
        default=TRY,
        help="the pixel values that it expects, ink being the highest; try: the way in which it "
        "reads best",
    )

    command("move", _move, "bring the runs of this machine's own store into the team's")


def _export(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.export import bundle

    run = catalogue.find(options.run)
    made = bundle.files(run)
    bundle.write(made, options.to)
    yield {"run": run.id, "folder": str(options.to), "files": [one.name for one in made]}


def _import(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.export import imported

    run = imported.take(options.path, options.name, options.learned, pixels=options.pixels)
    if run.note:
        print(run.note, file=sys.stderr)
    yield run.summary()


def _move(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.runs import move

    done = []
    for one in move.everything():
        done.append(one)
        yield {
            "run": one.new_id or None,
            "name": one.run.name,
            "from": one.run.id,
            "outcome": str(one.outcome),
        }
    print(move.summary(done), file=sys.stderr)

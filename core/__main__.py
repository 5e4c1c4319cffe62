"""The command line: JSON on stdout, human text on stderr; exit 2 with a message on a UserError."""

import argparse
import gc
import json
import sys
from typing import Any

from core.commands import data, reading, training, transfer
from core.errors import UserError
from core.sweeps import commands as sweeps


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 2 on a UserError."""
    options = _parser().parse_args(arguments)
    # Objects of imported modules are never garbage, and collecting among them took a quarter of the
    # time before a training's first step. The worker enables collection again when it trains.
    gc.disable()
    try:
        for answer in options.command(options):
            print(json.dumps(answer), flush=True)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=run)
        return sub

    for part in (data, training, reading, transfer):
        part.add(command)
    sweeps.add(command("sweep", None, "search for better settings, on many machines"))
    return parser


if __name__ == "__main__":
    sys.exit(main())

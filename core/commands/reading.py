"""`python -m core evaluate` and `predict`: how good a run is, and what it reads."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.commands import RUN_HELP, Command
from core.data import mnist
from core.errors import RunError, UserError
from core.runs import catalogue

if TYPE_CHECKING:  # numpy and what follows: each command loads what it needs
    from core.runs.answers import Result


def add(command: Command) -> None:
    """Add this module's commands to the command line."""
    sub = command(
        "evaluate",
        _evaluate,
        "metrics and confusion matrix of a run; of several runs, of each and of their ensemble",
    )
    sub.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    sub.add_argument(
        "--split",
        choices=("test", "validation", "known"),
        help="test, the default; known: the test images, for a run that may have learned from them",
    )

    sub = command(
        "predict",
        _predict,
        "read the digits in image files or folders: one line a digit, or an error for a file",
    )
    sub.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    help = f"{RUN_HELP} (default: best, or built-in if there is no run)"
    sub.add_argument("--run", metavar="RUN", help=help)


def _evaluate(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.runs import answers

    members = [catalogue.find(text) for text in options.runs]
    digits = [mnist.load(answers.source_for(run)) for run in members]
    known = not options.split and answers.may_have_seen(members[0], digits[0])
    split = answers.KNOWN if known else options.split or "test"
    found = [answers.of(run, split, its) for run, its in zip(members, digits, strict=True)]
    for run, result in zip(members, found, strict=True):
        yield {"run": run.id} | _report(split, result)
    if len(members) > 1:
        together = _report(split, answers.together(found))
        yield {"run": "ensemble", "members": [run.id for run in members]} | together


def _report(split: str, result: "Result") -> dict[str, Any]:
    from core.evaluation import metrics

    report = metrics.report(result.probabilities, result.labels)
    return {
        "split": split,
        "count": report.count,
        "accuracy": report.accuracy,
        "loss": report.loss,
        "macro_f1": report.macro_f1,
        "confusion": report.matrix.tolist(),
        "per_class": report.classes.to_dict("records"),
    }


def _predict(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.ink.photo import from_picture
    from core.reading import one_or_two
    from core.reading.reader import calibrated_reader
    from core.runs.run import BUILTIN

    paths = list(_pictures(options.paths))
    if not paths:
        raise RunError(
            "No pictures were found. Give PNG, JPEG, WebP, BMP, GIF, TIFF or AVIF files."
        )
    without_run = options.run is None and catalogue.best(catalogue.listed()) is None
    reader = calibrated_reader(catalogue.find(BUILTIN if without_run else options.run or "best"))
    count = 0
    for path in paths:
        try:
            found = from_picture(path)
        except UserError as error:
            if len(paths) == 1:
                raise
            yield {"path": str(path), "error": str(error)}
            continue
        count += 1
        for digit, read in zip(*one_or_two.read_all(reader, found), strict=True):
            yield {
                "path": str(path),
                "digit": read.digit,
                "confidence": read.confidence,
                "sure": read.sure,
                "looks_like_a_digit": read.looks_like_a_digit,
                "probabilities": read.probabilities.tolist(),
                "box": digit.box,
                "row": digit.row,
            }
    if not count:
        raise RunError(f"None of the {len(paths)} pictures could be read. See the error of each.")


def _pictures(paths: list[Path]) -> Iterator[Path]:
    """Yield the given files, and the pictures in the given folders."""
    from core.ink.photo import SUFFIXES, UNREADABLE

    endings = {f".{suffix}" for suffix in (*SUFFIXES, *UNREADABLE)}
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in endings)
        else:
            yield path

"""The command line: JSON on stdout, human text on stderr; exit 2 with a message on a UserError."""

import argparse
import gc
import json
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import recipes
from core.config import config_fields
from core.data import download, mnist
from core.errors import ConfigError, RunError, UserError
from core.export.terms import LEARNED, UNKNOWN
from core.runs import catalogue
from core.sweeps import commands as sweep_commands

if TYPE_CHECKING:  # numpy and what follows: each command loads what it needs
    from core.runs.answers import Result
    from core.runs.run import Run


_MOST_SEEDS = 100  # of one command


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

    sub = command("data", _data, "which data is in use, counts, checksums")
    sub.add_argument("--download", action="store_true", help="fetch the full MNIST first")

    sub = command("labels", _labels, "labels that look wrong, the most suspicious first")
    sub.add_argument("--count", metavar="N", type=int, default=100, help="how many (100)")

    command("presets", _presets, "the named recipes, one a line")

    sub = command("train", _train, "train in the foreground; Ctrl-C stops and keeps the best epoch")
    sub.add_argument("--preset", metavar="NAME", help="the recipe to start from (fast_cnn)")
    sub.add_argument(
        "--like",
        metavar="RUN",
        help="start from a run's settings instead, with a seed that they were not trained with",
    )
    sub.add_argument(
        "--seeds",
        metavar="N",
        type=int,
        default=1,
        help="train N runs one after the other, each with the next seed; one line each",
    )
    sub.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help=f"change settings: {', '.join(config_fields())}",
    )
    sub.add_argument("--name", default="", help="what to call the run")
    sub.add_argument("--resume", metavar="RUN", help="resume a run from its last epoch")

    command("runs", _runs, "every run, newest first, one a line")

    run_help = "an id, a unique prefix of one, a name, latest, best or built-in"
    sub = command("stop", _stop, "stop a run; its best epoch is kept")
    sub.add_argument("run", metavar="RUN", help=run_help)

    sub = command(
        "evaluate",
        _evaluate,
        "metrics and confusion matrix of a run; of several runs, of each and of their ensemble",
    )
    sub.add_argument("runs", metavar="RUN", nargs="+", help=run_help)
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
    help = f"{run_help} (default: best, or built-in without any run)"
    sub.add_argument("--run", metavar="RUN", help=help)

    sub = command("export", _export, "the files with which a run leaves: ONNX, weights, card, …")
    sub.add_argument("run", metavar="RUN", help=run_help)
    sub.add_argument("--to", metavar="FOLDER", type=Path, required=True, help="where to write them")

    sub = command("import", _import, "take in a run's export, or the weights of a network")
    sub.add_argument(
        "path", metavar="PATH", type=Path, help="folder, .zip, .safetensors, .pt, .pth"
    )
    sub.add_argument("--name", default="", help="what to call the run")
    sub.add_argument(
        "--learned",
        choices=list(LEARNED),
        default=UNKNOWN,
        help="what weights alone learned from: mnist is its 60,000 training images, and no other",
    )

    command("move", _move, "bring the runs of this machine's own store into the team's")

    sweep_commands.add(command("sweep", None, "search for better settings, on many machines"))
    return parser


def _data(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if options.download:
        # The page's Cancel button: exit through the `finally` blocks, which delete partial files.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("The download was cancelled."))
        download.fetch()
    digits = mnist.load()
    yield {
        "source": digits.source,
        "directory": str(mnist.directory().resolve()),
        "train": len(digits.train_labels),
        "test": len(digits.test_labels),
        "checksum": digits.checksum,
    }


def _labels(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.data import selection
    from core.jobs import judge, labels

    digits = mnist.load()
    if not labels.judged(digits.checksum):
        print("Judging the labels: this takes a minute or two …", file=sys.stderr)
        judge.in_turn(digits)
    found = labels.suspects(digits)
    for place in range(min(options.count, len(found.numbers))):
        split, index = selection.place(digits, int(found.numbers[place]))
        yield {
            "split": split,
            "index": index,
            "label": int(found.labels[place]),
            "answer": int(found.answers[place]),
            "answer_probability": float(found.sureness[place]),
            "label_probability": float(found.belief[place]),
        }


def _presets(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for recipe in recipes.RECIPES.values():
        yield {
            "name": recipe.name,
            "summary": recipe.summary,
            "reported": recipe.reported,
            "config": recipe.config.to_dict(),
        }


def _train(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.jobs import worker
    from core.runs import files
    from core.runs.run import State

    if options.resume:
        if options.preset or options.like or options.set or options.name or options.seeds != 1:
            raise ConfigError(
                "A resumed run keeps its name and settings. Use --resume without other options."
            )
        wanted: Iterable[Run] = [catalogue.find(options.resume)]
    else:
        wanted = _requested(options)
    for run in wanted:
        print(f"{run.name} ({run.id}), log in {run.folder / files.LOG}", file=sys.stderr)
        done = worker.work(run)
        yield done.summary()
        if done.state == State.STOPPED:  # whoever stops one of several seeds wants no more
            break


def _requested(options: argparse.Namespace) -> Iterator["Run"]:
    """Yield a queued run for each seed, each when it is asked for. Raises ConfigError, RunError."""
    from core.jobs import request
    from core.runs import settings

    if options.preset and options.like:
        raise ConfigError("Give --preset or --like, not both.")
    if not 1 <= options.seeds <= _MOST_SEEDS:
        raise ConfigError(f"--seeds must be from 1 to {_MOST_SEEDS}, not {options.seeds}.")
    changes: dict[str, Any] = dict(sweep_commands.assigned(options.set, "--set"))
    if options.like:
        model = catalogue.find(options.like)
        config, recipe = request.like(model).changed(changes), model.recipe
    else:
        start = recipes.recipe(options.preset or "fast_cnn")
        config, recipe = start.config.changed(changes), start.name
    data = mnist.source()
    seeds = list(range(config.seed, config.seed + options.seeds))
    if options.like and "seed" not in changes:
        seeds = settings.new_seeds(config, data, catalogue.listed(), options.seeds)
    for seed, name in zip(seeds, request.names(options.name, seeds), strict=True):
        yield request.enqueue(config.changed({"seed": seed}), data, recipe, name)


def _runs(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for run in catalogue.listed():
        yield run.summary() | {
            "recipe": run.recipe,
            "network": run.config.network,
            "author": run.author,
            "started": run.started,
        }


def _stop(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.runs import actions
    from core.runs.person import OWNER

    run = catalogue.find(options.run)
    actions.request_stop(OWNER, run)
    yield catalogue.get(run.id).summary()


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
    print(move.told(done), file=sys.stderr)


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
        for digit, read in zip(*reader.read_all(found), strict=True):
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


def _export(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.export import bundle

    run = catalogue.find(options.run)
    made = bundle.files(run)
    bundle.write(made, options.to)
    yield {"run": run.id, "folder": str(options.to), "files": [one.name for one in made]}


def _import(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.export import imported

    yield imported.take(options.path, options.name, options.learned).summary()


def _pictures(paths: list[Path]) -> Iterator[Path]:
    """Yield the given files, and the pictures in the given folders."""
    from core.ink.photo import SUFFIXES, UNREADABLE

    endings = {f".{suffix}" for suffix in (*SUFFIXES, *UNREADABLE)}
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in endings)
        else:
            yield path


if __name__ == "__main__":
    sys.exit(main())

"""`python -m core train`, `runs` and `stop`."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from core import recipes
from core.commands import RUN_HELP, Command
from core.config import config_fields
from core.data import mnist
from core.errors import ConfigError
from core.runs import catalogue
from core.sweeps.commands import assigned

if TYPE_CHECKING:  # mlflow takes 1.5 s: each command loads what it needs
    from core.runs.run import Run

_MOST_SEEDS = 100  # of one command


def add(command: Command) -> None:
    """Add this module's commands to the command line."""
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

    sub = command("stop", _stop, "stop a run; its best epoch is kept")
    sub.add_argument("run", metavar="RUN", help=RUN_HELP)


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
        if done.state == State.STOPPED:  # stopping one of several seeds stops the rest
            break


def _requested(options: argparse.Namespace) -> Iterator["Run"]:
    """Yield a run for each seed, queued only when it is its turn. Raises ConfigError, RunError."""
    from core.jobs import request
    from core.runs import settings

    if options.preset and options.like:
        raise ConfigError("Give --preset or --like, not both.")
    if not 1 <= options.seeds <= _MOST_SEEDS:
        raise ConfigError(f"--seeds must be from 1 to {_MOST_SEEDS}, not {options.seeds}.")
    changes: dict[str, Any] = dict(assigned(options.set, "--set"))
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
            "network": run.network,
            "author": run.author,
            "started": run.started,
        }


def _stop(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.runs import actions
    from core.runs.person import OWNER

    run = catalogue.find(options.run)
    actions.request_stop(OWNER, run)
    yield catalogue.get(run.id).summary()

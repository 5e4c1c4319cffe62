"""`python -m core sweep`: start, work, list, status, pause, more, bounds, confirm, delete."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from core.config import TrainConfig
from core.errors import ConfigError
from core.runs.person import OWNER
from core.sweeps.sweep import PRUNERS, SAMPLERS, Sweep


def add(sweep: argparse.ArgumentParser) -> None:
    """Add the commands of a sweep to its parser."""
    commands = sweep.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, help: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=run)
        if run is not _list:
            sub.add_argument("name", metavar="NAME", help="the sweep's name")
        return sub

    pairs: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    sub = command("start", _start, "start a sweep, for workers to join")
    sub.add_argument("--preset", metavar="NAME", default="fast_cnn", help="the recipe (fast_cnn)")
    sub.add_argument("--set", metavar="FIELD=VALUE", help="settings of all trials", **pairs)
    _vary(sub, pairs)
    sub.add_argument("--trials", type=int, metavar="N", help="how many settings to try")
    sub.add_argument("--minutes", type=float, metavar="M", help="of training, all workers together")
    for option, choices in (("sampler", SAMPLERS), ("pruner", PRUNERS)):
        help = " ".join(f"{name}: {does}" for name, does in choices.items())
        sub.add_argument(f"--{option}", choices=choices, default=next(iter(choices)), help=help)

    sub = command("work", _work, "do trials until there are none; on any machine, any number")
    sub.add_argument("--trials", type=int, metavar="K", help="leave after this many trials")
    sub.add_argument("--threads", type=int, metavar="N", help="processor threads (all cores)")

    command("list", _list, "every sweep, newest first, one a line")
    command("status", _status, "a sweep's progress, each trial, and the confirmed settings")
    command("pause", _pause, "start no further trials")
    command("resume", _resume, "start trials again")
    sub = command("more", _more, "allow further trials")
    sub.add_argument("trials", type=int, metavar="N")
    _vary(command("bounds", _bounds, "change the bounds of what varies"), pairs)
    help = "end the search; train the best settings again with other seeds, and test the winner"
    sub = command("confirm", _confirm, help)
    sub.add_argument("--best", type=int, metavar="N", default=5, help="how many settings (5)")
    sub.add_argument("--seeds", type=int, metavar="N", default=5, help="for each of them (5)")
    command("delete", _delete, "delete a sweep; the runs of its trials stay")


def _vary(sub: argparse.ArgumentParser, pairs: dict[str, Any]) -> None:
    help = "what varies: FIELD=LOW:HIGH, FIELD=LOW:HIGH:log (by magnitude) or FIELD=A,B,C"
    sub.add_argument("--vary", metavar="FIELD=BOUNDS", help=help, **pairs)


def assigned(pairs: list[str], option: str) -> dict[str, str]:
    """Return FIELD=VALUE pairs as a dict. Raises ConfigError."""
    found = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"{option} needs FIELD=VALUE, not {pair!r}.")
        found[field] = value
    return found


def _start(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core import recipes
    from core.data import mnist
    from core.sweeps import control, estimate
    from core.sweeps.space import space_from
    from core.sweeps.sweep import Plan

    recipe = recipes.recipe(options.preset)
    base: TrainConfig = recipe.config.changed(assigned(options.set, "--set"))
    plan = Plan(
        base=base,
        recipe=recipe.name,
        data=mnist.source(),
        space=space_from(assigned(options.vary, "--vary")),
        sampler=options.sampler,
        pruner=options.pruner,
        trials=options.trials,
        minutes=options.minutes,
    )
    started = control.start(options.name, plan, OWNER)
    each = estimate.seconds_a_trial(plan, len(mnist.load().train_labels))
    if each is not None:
        trials = started.plan.trials
        every = f", all {trials} about {trials * each / 60:.0f} min" if trials else ""
        print(
            f"A trial takes about {each:.0f} s with one worker on this machine{every}.",
            file=sys.stderr,
        )
    print(f"Now do them: python -m core sweep work {options.name!r}", file=sys.stderr)
    yield started.summary()


def _work(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.runs.run import Run
    from core.sweeps import sweep, worker

    def report(run: Run) -> None:
        accuracy = "" if (a := run.validation_accuracy) is None else f", validation {a:.2%}"
        print(f"{run.name}: {run.state}{accuracy} {run.reason}".rstrip(), file=sys.stderr)

    worker.work(options.name, options.trials, options.threads, report)
    yield sweep.get(options.name).summary()


def _list(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import sweep

    yield from (one.summary() for one in sweep.listed())


def _status(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import confirmation, settlement

    found: Sweep = settlement.settled(options.name)
    yield found.summary()
    for trial in found.trials:
        yield {
            "trial": trial.number,
            "outcome": trial.outcome,
            "validation_accuracy": trial.accuracy,
            "epochs": len(trial.reached),
            "settings": trial.settings,
            "attempts": trial.attempts,
            "seconds": trial.seconds,
            "host": trial.host,
            "run": trial.run,
        }
    for one in confirmation.confirmed(found):
        yield one.summary()
    if verdict := confirmation.verdict(found):
        yield verdict.summary()
        print(verdict.sentence, file=sys.stderr)


def _pause(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import control

    yield control.pause(options.name, OWNER).summary()


def _resume(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import control

    yield control.resume(options.name, OWNER).summary()


def _more(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import control

    yield control.more(options.name, options.trials, OWNER).summary()


def _bounds(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import control

    texts = assigned(options.vary, "--vary")
    yield control.bounds(options.name, texts, OWNER).summary()


def _confirm(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import control

    yield control.confirm(options.name, options.best, options.seeds, OWNER).summary()
    print(f"Now train them: python -m core sweep work {options.name!r}", file=sys.stderr)


def _delete(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from core.sweeps import control

    control.delete(options.name, OWNER)
    yield {"sweep": options.name, "state": "deleted"}

"""Actions of people on sweeps: start, pause, resume, more trials, other bounds, confirm, delete.

Functions that change a sweep take the person who acts, who must own the sweep or the machine.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.data.splits import sizes_of
from core.errors import ConfigError, SweepError, UserError
from core.jobs import process, request
from core.runs.person import Person
from core.runs.run import cleaned_name
from core.runs.store import directory
from core.sweeps import confirmation, settlement, storage, sweep
from core.sweeps.space import LARGEST_GRID, Range, contains, domain, grid, grid_size
from core.sweeps.sweep import PRUNERS, SAMPLERS, Outcome, Plan, Sweep

if TYPE_CHECKING:  # optuna takes 0.8 s
    from optuna.study import Study

_NAME_LENGTH = 50  # characters: a trial's run has the name and a number
_MOST = 10_000  # trials
_MOST_SEEDS = 100  # of a setting that is confirmed


def start(name: str, plan: Plan, by: Person) -> Sweep:
    """Record a new sweep, for workers to join. Raises SweepError, and ConfigError for its plan."""
    name = cleaned_name(name)
    if not 0 < len(name) <= _NAME_LENGTH:
        raise SweepError(f"A sweep needs a name of at most {_NAME_LENGTH} characters.")
    for chosen, known, what in (
        (plan.sampler, SAMPLERS, "sampler"),
        (plan.pruner, PRUNERS, "pruner"),
    ):
        if chosen not in known:
            raise ConfigError(f"The {what} must be one of {', '.join(known)}, not {chosen!r}.")
    plan = sized(plan)
    if plan.trials is None and plan.minutes is None:
        raise ConfigError("A sweep needs an end. Give it a number of trials, or minutes.")
    _check_budget(plan)
    # Each worker computes where it can.
    plan = replace(plan, base=replace(plan.base, device="auto"), author=by.name, owner=by.tag)
    storage.create(name, plan.to_dict())
    return sweep.get(name)


def sized(plan: Plan) -> Plan:
    """Return the plan with no more trials than a grid has.

    Raises ConfigError for a large grid, and for more training images than there are.
    """
    _check_images(plan)
    if plan.sampler != "grid":
        return plan
    return replace(plan, trials=min(_size(plan), plan.trials or LARGEST_GRID))


def _check_images(plan: Plan) -> None:
    """Raise ConfigError if trials would differ only in how many images they lack."""
    varied = plan.space.get("train_size")
    sizes = sizes_of(plan.data, plan.base.validation_size, 0)
    if varied is None or sizes is None:
        return
    most = varied.high if isinstance(varied, Range) else max(varied.values)
    if most > sizes[0]:
        raise ConfigError(
            f"There are {sizes[0]:,} images to learn from, so trials with more would all be the "
            f"same. Let train_size vary up to {sizes[0]}."
        )


def launch(name: str, workers: int) -> None:
    """Start workers on this machine, each with its share of the processor; they outlive the caller.

    Raises SweepError if there is no such sweep, or their log cannot be written.
    """
    sweep.get(name)
    threads = max(1, (os.cpu_count() or 1) // workers)
    try:
        for _ in range(workers):
            _launch(name, threads)
    except OSError as error:
        raise SweepError(
            f"The sweep's workers could not be started: {error.strerror}. Free some space, or set "
            "DIGITLAB_RUNS to another folder."
        ) from error


def _launch(name: str, threads: int) -> None:
    """Start one worker; if it is killed while this process lives, its trial is given up at once."""
    started: list[subprocess.Popen[bytes]] = []

    def died() -> None:
        with suppress(UserError):
            for one in started:
                settlement.abandon(name, one.pid)

    with (directory() / "sweeps.log").open("ab") as log:
        started.append(
            process.launch(
                *("core", "sweep", "work", "--threads", str(threads), "--", name),
                environment=request.worker_environment(),
                stderr=log,
                died=died,
            )
        )


def pause(name: str, by: Person) -> Sweep:
    """Start no further trials; those in progress continue. Raises SweepError."""
    return _change(name, by, lambda now: replace(now.plan, paused=True))


def resume(name: str, by: Person) -> Sweep:
    """Start trials again. Raises SweepError."""
    return _change(name, by, lambda now: replace(now.plan, paused=False))


def more(name: str, trials: int, by: Person) -> Sweep:
    """Allow `trials` further trials. Raises SweepError."""

    def changed(now: Sweep) -> Plan:
        _check_searching(now)
        if now.plan.sampler == "grid":
            raise SweepError("A grid tries every combination already. Widen its bounds instead.")
        if trials < 1:
            raise SweepError("Give the number of further trials: 1 or more.")
        # A budget of minutes that is used up would stop them.
        return replace(
            now.plan,
            trials=max(now.plan.trials or 0, len(now.trials)) + trials,
            minutes=None,
        )

    return _change(name, by, changed)


def bounds(name: str, texts: dict[str, str], by: Person) -> Sweep:
    """Change the bounds of varied fields; trials outside the new bounds no longer guide the search.

    Raises SweepError, and ConfigError for impossible bounds.
    """

    def changed(now: Sweep) -> Plan:
        _check_searching(now)
        unknown = [field for field in texts if field not in now.plan.space]
        if unknown:
            raise SweepError(
                f"The sweep {name} does not vary {unknown[0]}; it varies "
                f"{', '.join(now.plan.space)}. Start another sweep to vary {unknown[0]}."
            )
        space = now.plan.space | {field: domain(field, text) for field, text in texts.items()}
        plan = replace(now.plan, space=space)
        _check_images(plan)
        if plan.sampler == "grid":
            _size(plan)
            tried = [one.settings for one in now.trials if contains(space, one.settings)]
            new = sum(one not in tried for one in grid(space, plan.base.seed))
            plan = replace(plan, trials=len(now.trials) + new)
        return plan

    return _change(name, by, changed)


def confirm(name: str, best: int, seeds: int, by: Person) -> Sweep:
    """End the search, and queue the `best` settings for training with `seeds` other seeds each.

    The seeds are new, because the settings were chosen by their results with the search's seed,
    which are therefore too good. Raises SweepError, also if the search has not ended or paused.
    """
    if best < 1 or not 2 <= seeds <= _MOST_SEEDS:
        raise SweepError(f"Confirm 1 setting or more, with 2 to {_MOST_SEEDS} seeds each.")
    with _owned(name, by) as (study, now):
        _check_searching(now)
        if now.open or now.state not in ("finished", "paused"):
            raise SweepError(
                f"The sweep {name} is still searching. Wait for its trials, or pause it and wait "
                "for those that are running."
            )
        chosen = confirmation.candidates(now)[:best]
        if not chosen:
            raise SweepError(f"No trial of the sweep {name} has finished. Give it more trials.")
        for seed in range(now.plan.base.seed + 1, now.plan.base.seed + 1 + seeds):
            for trial in chosen:
                confirms = {"seed": seed, "confirms": trial.number}
                study.enqueue_trial(trial.settings, user_attrs=confirms)
        plan = replace(now.plan, trials=len(now.trials), minutes=None, paused=False)
        study.set_user_attr("plan", plan.to_dict())
        return sweep.read(study)


def delete(name: str, by: Person) -> None:
    """Delete a sweep that has no worker; the runs of its trials stay. Raises SweepError."""
    with _owned(name, by) as (_, now):
        if any(one.outcome == Outcome.RUNNING for one in (*now.trials, *now.confirming)):
            raise SweepError(
                f"Trials of the sweep {name} are running. Pause it, wait until they have ended, "
                "and delete it then."
            )
        storage.delete(name)


def _check_searching(now: Sweep) -> None:
    """Raise SweepError if the search was ended by confirming its best settings."""
    if now.confirming:
        raise SweepError(
            f"The sweep {now.name} has been confirmed, which ends it: its test images may be read "
            "only once. Start another sweep."
        )


def _size(plan: Plan) -> int:
    size = grid_size(plan.space)
    if size > LARGEST_GRID:
        raise ConfigError(
            f"That grid has {size:,} combinations, and at most {LARGEST_GRID:,} are allowed. Vary "
            "fewer fields, or take the sampler tpe."
        )
    return size


def _check_budget(plan: Plan) -> None:
    if plan.trials is not None and not 1 <= plan.trials <= _MOST:
        raise ConfigError(f"A sweep has 1 to {_MOST:,} trials, not {plan.trials:,}.")
    if plan.minutes is not None and not 0 < plan.minutes <= 60 * 24 * 365:
        raise ConfigError(f"A sweep takes some minutes, at most a year, not {plan.minutes:g}.")


def _change(name: str, by: Person, changed: Callable[[Sweep], Plan]) -> Sweep:
    """Replace a sweep's plan by `changed` of the sweep, in one step."""
    with _owned(name, by) as (study, now):
        plan = changed(now)
        _check_budget(plan)
        study.set_user_attr("plan", plan.to_dict())
        return sweep.read(study)


@contextmanager
def _owned(name: str, by: Person) -> "Iterator[tuple[Study, Sweep]]":
    """Yield a sweep's study and the sweep, locked against other changes. Raises SweepError."""
    with storage.locked(), storage.opened(name) as study:
        now = sweep.read(study)
        if not by.may_change(now.plan.owner):
            raise SweepError(
                f"The sweep {name} belongs to {now.plan.author or 'somebody else'}, who alone can "
                "change it. Start your own."
            )
        yield study, now

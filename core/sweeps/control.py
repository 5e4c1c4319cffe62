"""What people do to sweeps: start, pause, resume, give more trials, change bounds.

What changes a sweep takes the person who acts: only the owner of a sweep, or of the machine, may.
"""

import os
from collections.abc import Callable
from dataclasses import replace

from core.errors import ConfigError, SweepError
from core.jobs import process, request
from core.runs.person import Person
from core.runs.run import cleaned_name
from core.runs.store import directory
from core.sweeps import storage, sweep
from core.sweeps.space import LARGEST_GRID, contains, domain, grid, grid_size
from core.sweeps.sweep import PRUNERS, SAMPLERS, Plan, Sweep

_NAME_LENGTH = 50  # characters: a trial's run has the name and a number
_MOST = 10_000  # trials


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
    """Return the plan with no more trials than a grid has. Raises ConfigError for a large grid."""
    if plan.sampler != "grid":
        return plan
    return replace(plan, trials=min(_size(plan), plan.trials or LARGEST_GRID))


def launch(name: str, workers: int) -> None:
    """Start workers on this machine, each with its share of the processor; they outlive the caller.

    Raises SweepError if there is no such sweep, or their log cannot be written.
    """
    sweep.get(name)
    threads = max(1, (os.cpu_count() or 1) // workers)
    environment = request.worker_environment()
    try:
        for _ in range(workers):
            with (directory() / "sweeps.log").open("ab") as log:
                process.launch(
                    *("core", "sweep", "work", "--threads", str(threads), "--", name),
                    environment=environment,
                    stderr=log,
                )
    except OSError as error:
        raise SweepError(
            f"The sweep's workers could not be started: {error.strerror}. Free some space, or set "
            "DIGITLAB_RUNS to another folder."
        ) from error


def pause(name: str, by: Person) -> Sweep:
    """Let no further trial begin; those in progress go on. Raises SweepError."""
    return _change(name, by, lambda now: replace(now.plan, paused=True))


def resume(name: str, by: Person) -> Sweep:
    """Let trials begin again. Raises SweepError."""
    return _change(name, by, lambda now: replace(now.plan, paused=False))


def more(name: str, trials: int, by: Person) -> Sweep:
    """Allow so many further trials. Raises SweepError."""

    def changed(now: Sweep) -> Plan:
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
    """Change the bounds of fields that vary; trials outside no longer guide the search.

    Raises SweepError, and ConfigError for impossible bounds.
    """

    def changed(now: Sweep) -> Plan:
        unknown = [field for field in texts if field not in now.plan.space]
        if unknown:
            raise SweepError(
                f"The sweep {name} does not vary {unknown[0]}, but "
                f"{', '.join(now.plan.space)}. Start another sweep to vary it."
            )
        space = now.plan.space | {field: domain(field, text) for field, text in texts.items()}
        plan = replace(now.plan, space=space)
        if plan.sampler == "grid":
            _size(plan)
            tried = [one.settings for one in now.trials if contains(space, one.settings)]
            new = sum(one not in tried for one in grid(space, plan.base.seed))
            plan = replace(plan, trials=len(now.trials) + new)
        return plan

    return _change(name, by, changed)


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
    """Replace a sweep's plan by what `changed` makes of it, as one step."""
    with storage.locked(), storage.opened(name) as study:
        now = sweep.read(study)
        if not by.may_change(now.plan.owner):
            raise SweepError(
                f"The sweep {name} belongs to {now.plan.author or 'somebody else'}, who alone can "
                "change it. Start your own."
            )
        plan = changed(now)
        _check_budget(plan)
        study.set_user_attr("plan", plan.to_dict())
        return sweep.read(study)

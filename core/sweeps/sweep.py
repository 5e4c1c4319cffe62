"""A sweep as recorded: its plan, its trials, and its state and best trial.

Settings whose run died are tried again; all attempts at the same settings are one trial.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from statistics import mean
from typing import TYPE_CHECKING, Any

from core.config import TrainConfig, config_from
from core.sweeps import storage
from core.sweeps.space import Settings, Space, space_from

if TYPE_CHECKING:  # optuna takes 0.8 s
    from optuna.study import Study
    from optuna.trial import FrozenTrial

ATTEMPTS = 3  # at the same settings, before they are given up
SAMPLERS = {
    "tpe": "Tries settings near the best ones so far more often.",
    "random": "Draws the settings of each trial at random.",
    "grid": "Tries every combination once, in random order.",
}
PRUNERS = {
    "median": "Ends a trial that is worse than half of the others were at the same epoch.",
    "hyperband": "Gives most trials few epochs, and again and again only the best third gets more.",
    "none": "Trains every trial to the end.",
}


class Outcome(StrEnum):
    """The outcome of a trial."""

    WAITING = "waiting"  # its run died, and it will be tried again
    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"  # ended early: by the pruner, by hand, or because it diverged
    FAILED = "failed"  # its run failed ATTEMPTS times

    @property
    def is_open(self) -> bool:
        """Whether the trial is waiting or running."""
        return self in (Outcome.WAITING, Outcome.RUNNING)


_OUTCOMES = {
    "WAITING": Outcome.WAITING,
    "RUNNING": Outcome.RUNNING,
    "COMPLETE": Outcome.FINISHED,
    "PRUNED": Outcome.PRUNED,
    "FAIL": Outcome.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep's search space, its budget and its owner.

    `trials` and `minutes` are the budget: one of them or both. Minutes are the training time of all
    workers together.
    """

    base: TrainConfig
    recipe: str
    data: str  # a key of `data.SOURCES`
    space: Space
    sampler: str = "tpe"
    pruner: str = "median"
    trials: int | None = None
    minutes: float | None = None
    author: str = ""
    owner: str = ""  # the tag of the person whose sweep it is; empty for the machine's owner
    paused: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain values, for JSON."""
        space = {field: str(bounds) for field, bounds in self.space.items()}
        return vars(self) | {"base": self.base.to_dict(), "space": space}


def plan_from(values: dict[str, Any]) -> Plan:
    """Return a plan from its plain values. Raises ConfigError."""
    space = space_from(values["space"])
    return Plan(**values | {"base": config_from(values["base"]), "space": space})


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Settings that were tried, and the outcome of the last attempt.

    `reached` maps each epoch to its validation accuracy, and `accuracy` is a finished trial's best;
    all in [0, 1]. A trial that confirms another's settings has the same number as the other.
    """

    number: int  # counted from 1
    attempts: int
    settings: Settings
    outcome: Outcome
    accuracy: float | None
    reached: dict[int, float]
    run: str  # id; empty until there is one
    host: str
    seconds: float  # of training, all attempts together
    seed: int | None = None  # of a trial that confirms; the others have the plan's

    @property
    def best(self) -> float | None:
        """The best validation accuracy so far; None before the first epoch."""
        return max((*self.reached.values(), self.accuracy or 0.0), default=None) or None


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep with its trials, in the order of their numbers.

    `confirming` are trials of the best settings with other seeds, outside the search's budget.
    """

    name: str
    plan: Plan
    trials: list[Trial]
    confirming: list[Trial] = field(default_factory=list)

    @cached_property
    def finished(self) -> list[Trial]:
        """The trials that have finished, best first."""
        found = [trial for trial in self.trials if trial.outcome == Outcome.FINISHED]
        return sorted(found, key=lambda trial: trial.accuracy or 0.0, reverse=True)

    @property
    def best(self) -> Trial | None:
        """The trial with the highest validation accuracy, the first of equals."""
        return next(iter(self.finished), None)

    def count(self, outcome: Outcome) -> int:
        """Return how many trials have this outcome."""
        return sum(trial.outcome == outcome for trial in self.trials)

    @property
    def open(self) -> int:
        """How many trials are running or wait to be tried again."""
        return sum(trial.outcome.is_open for trial in self.trials)

    @property
    def seconds_a_trial(self) -> float:
        """The mean seconds of training of the trials that are over; 0 before the first."""
        over = [trial.seconds for trial in self.trials if trial.outcome != Outcome.RUNNING]
        return mean(over) if over else 0.0

    @property
    def is_spent(self) -> bool:
        """Whether the budget allows no further trial."""
        plan = self.plan
        if plan.trials is not None and len(self.trials) >= plan.trials:
            return True
        if plan.minutes is None:
            return False
        # Trials in progress are expected to take as long as the others.
        expected = self.open * self.seconds_a_trial
        return sum(trial.seconds for trial in self.trials) + expected >= 60 * plan.minutes

    @property
    def state(self) -> str:
        """The state in a word: finished, paused, running or waiting (for a worker)."""
        outcomes = {trial.outcome for trial in (*self.trials, *self.confirming)}
        if self.is_spent and not any(outcome.is_open for outcome in outcomes):
            return "finished"
        if self.plan.paused:
            return "paused"
        return "running" if Outcome.RUNNING in outcomes else "waiting"

    def summary(self) -> dict[str, Any]:
        """Return the fields that the command line prints."""
        best = self.best
        return {
            "sweep": self.name,
            "state": self.state,
            "trials": self.plan.trials,
            "minutes": self.plan.minutes,
            "done": self.count(Outcome.FINISHED),
            "pruned": self.count(Outcome.PRUNED),
            "failed": self.count(Outcome.FAILED),
            "waiting": self.count(Outcome.WAITING),
            "running": self.count(Outcome.RUNNING),
            "confirming": len(self.confirming),
            "confirmed": sum(one.outcome == Outcome.FINISHED for one in self.confirming),
            "vary": {field: str(bounds) for field, bounds in self.plan.space.items()},
            "best": best
            and {"run": best.run, "validation_accuracy": best.accuracy, "settings": best.settings},
        }


def get(name: str) -> Sweep:
    """Return the sweep of that name as it is now. Raises SweepError."""
    with storage.opened(name) as study:
        return read(study)


def listed() -> list[Sweep]:
    """Return all sweeps, the newest first. Raises SweepError."""
    return [get(name) for name in reversed(storage.names())]


def read(study: "Study") -> Sweep:
    """Return a sweep from its study."""
    found = [_trial(number, tried) for number, tried in enumerate(attempts(study).values(), 1)]
    return Sweep(
        name=study.study_name,
        plan=plan_from(study.user_attrs["plan"]),
        trials=[trial for trial in found if trial.seed is None],
        confirming=[trial for trial in found if trial.seed is not None],
    )


def attempts(study: "Study") -> "dict[int, list[FrozenTrial]]":
    """Return a study's trials in the order of their numbers, as lists of attempts.

    Keys are Optuna's numbers of the first attempts.
    """
    found: dict[int, list[FrozenTrial]] = {}
    for trial in study.get_trials(deepcopy=False):
        found.setdefault(trial.user_attrs.get("first", trial.number), []).append(trial)
    return found


def settings(trial: "FrozenTrial") -> Settings:
    """Return a trial's settings, which are known before it runs."""
    return dict(trial.system_attrs["fixed_params"])


def _trial(number: int, tried: "list[FrozenTrial]") -> Trial:
    last = tried[-1]
    return Trial(
        number=last.user_attrs.get("confirms", number),
        attempts=len(tried),
        settings=settings(last),
        outcome=_OUTCOMES[last.state.name],
        accuracy=last.value if last.state.name == "COMPLETE" else None,
        reached=dict(last.intermediate_values),
        run=last.user_attrs.get("run", ""),
        host=last.user_attrs.get("host", ""),
        seconds=sum(trial.user_attrs.get("seconds", 0.0) for trial in tried),
        seed=last.user_attrs.get("seed"),
    )

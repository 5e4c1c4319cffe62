"""A sweep as recorded: its plan, its trials, and what follows from them.

A *trial* is one attempt at some settings, by one worker, in one run. Settings whose worker died are
tried again: the attempts at the same settings share a *slot*, and a slot counts once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from statistics import mean
from typing import Any

from core.config import TrainConfig
from core.sweeps.space import Settings, Space, configured

ATTEMPTS = 3  # at the same settings, before they are given up
SAMPLERS = {
    "tpe": "Tries what did well so far, and its surroundings, more often.",
    "random": "Draws each trial by itself.",
    "grid": "Tries every combination once, in a drawn order.",
}
PRUNERS = {
    "median": "Ends a trial that is worse than half of the others were at the same epoch.",
    "hyperband": "Gives most trials few epochs, and the best third of them more, again and again.",
    "none": "Trains every trial to its end.",
}


class Wanted(StrEnum):
    """What people want of a sweep."""

    GO = "go"
    PAUSE = "pause"  # no further trials; those in progress go on
    STOP = "stop"  # no further trials, and those in progress are stopped


class Outcome(StrEnum):
    """What became of a trial."""

    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"  # ended early: by the pruner, by hand, or because it diverged
    FAILED = "failed"  # its worker died or left, or its run failed


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a sweep searches, and how far it goes.

    `trials` and `minutes` are its budget, one of them or both. The minutes are those of training,
    of all workers together.
    """

    base: TrainConfig
    recipe: str
    data: str  # a key of `data.SOURCES`
    space: Space
    sampler: str = "tpe"
    pruner: str = "median"
    trials: int | None = None
    minutes: float | None = None


@dataclass(frozen=True, order=True)
class Slot:
    """A trial's place in the sweep: its number, counted from 1, among those of its kind.

    `setting` is 0 for the search. In the confirmation it is the number of the setting, and `number`
    that of the seed.
    """

    setting: int
    number: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One attempt at some settings.

    `reached` has the validation accuracy of each epoch, and `accuracy` that of the best one of a
    trial that is over; all in [0, 1].
    """

    key: int  # Optuna's id of it
    slot: Slot
    attempt: int  # counted from 0
    config: TrainConfig
    settings: Settings
    outcome: Outcome
    reason: str
    accuracy: float | None
    reached: dict[int, float]
    run: str  # id; empty until its run is in the store
    host: str
    seconds: float  # of training
    left: bool  # whether its worker left it in good order, which does not count as a failure

    @property
    def best(self) -> float | None:
        """The best validation accuracy so far."""
        return max((*self.reached.values(), self.accuracy or 0.0), default=None) or None


@dataclass(frozen=True)
class Confirmation:
    """The best settings of a search, to be trained with new seeds.

    `settings` are the chosen ones, best first, then those that the sweep started from, unless they
    are among them. `chosen` are the numbers of the trials that they come from, 0 for the start.
    """

    settings: tuple[Settings, ...]
    chosen: tuple[int, ...]
    seeds: tuple[int, ...]

    def slots(self) -> list[Slot]:
        """Return a slot for every seed of every setting, the first seed of each first."""
        settings = range(1, len(self.settings) + 1)
        seeds = range(1, len(self.seeds) + 1)
        return [Slot(setting, seed) for seed in seeds for setting in settings]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep with all its trials; `confirmation` is None while it searches."""

    name: str
    author: str
    started: float  # seconds since 1970
    plan: Plan
    wanted: Wanted
    attempts: list[Trial] = field(repr=False)
    confirmation: Confirmation | None = None

    @cached_property
    def slots(self) -> dict[Slot, list[Trial]]:
        """The attempts at each slot, in their order; of two equal ones the first counts."""
        found: dict[Slot, dict[int, Trial]] = {}
        for trial in self.attempts:
            found.setdefault(trial.slot, {}).setdefault(trial.attempt, trial)
        return {slot: list(attempts.values()) for slot, attempts in sorted(found.items())}

    @cached_property
    def trials(self) -> list[Trial]:
        """The last attempt at each slot of the search, in the order of their numbers."""
        return [tried[-1] for slot, tried in self.slots.items() if not slot.setting]

    @cached_property
    def confirming(self) -> list[Trial]:
        """The last attempt at each slot of the confirmation."""
        return [tried[-1] for slot, tried in self.slots.items() if slot.setting]

    @property
    def running(self) -> list[Trial]:
        """The trials in progress."""
        return _with(Outcome.RUNNING, self.attempts)

    @property
    def finished(self) -> list[Trial]:
        """The trials of the search that trained to their end, the best first."""
        found = _with(Outcome.FINISHED, self.trials)
        return sorted(found, key=lambda trial: trial.accuracy or 0.0, reverse=True)

    @property
    def best(self) -> Trial | None:
        """The trial with the highest validation accuracy, the first of equals."""
        return next(iter(self.finished), None)

    def count(self, outcome: Outcome) -> int:
        """Return how many slots of the search have this outcome."""
        return len(_with(outcome, self.trials))

    def is_open(self, slot: Slot) -> bool:
        """Return whether a slot is free for another attempt."""
        tried = self.slots.get(slot, [])
        failures = sum(trial.outcome == Outcome.FAILED and not trial.left for trial in tried)
        return not tried or (tried[-1].outcome == Outcome.FAILED and failures < ATTEMPTS)

    @property
    def seconds(self) -> float:
        """The seconds of training so far, of all trials of the search that are over."""
        return sum(trial.seconds for trial in self.attempts if not trial.slot.setting)

    @property
    def seconds_a_trial(self) -> float:
        """The mean seconds of training of the trials that are over; 0 before the first."""
        over = [trial.seconds for trial in self.trials if trial.outcome != Outcome.RUNNING]
        return mean(over) if over else 0.0

    @property
    def total(self) -> int:
        """How many trials there will be, as far as that is known: for minutes, so far."""
        number = self.plan.trials
        return len(self.trials) if number is None else max(number, len(self.trials))

    @property
    def is_spent(self) -> bool:
        """Whether the budget allows no further slot."""
        plan = self.plan
        if plan.trials is not None and len(self.trials) >= plan.trials:
            return True
        if plan.minutes is None:
            return False
        # A trial in progress will take what the others took.
        expected = len(_with(Outcome.RUNNING, self.trials)) * self.seconds_a_trial
        return self.seconds + expected >= 60 * plan.minutes

    def next_slot(self) -> Slot | None:
        """Return the slot to try next; None if there is none, now or for good."""
        if self.confirmation:
            return next(filter(self.is_open, self.confirmation.slots()), None)
        again = next((trial.slot for trial in self.trials if self.is_open(trial.slot)), None)
        if again or self.is_spent:
            return again
        return Slot(0, len(self.trials) + 1)

    @property
    def state(self) -> str:
        """What it is doing, in one word: the state that the command line and the page show."""
        if self.running:
            return "running"
        if self.next_slot() is None:
            return "finished"
        return {Wanted.GO: "waiting", Wanted.PAUSE: "paused", Wanted.STOP: "stopped"}[self.wanted]

    def summary(self) -> dict[str, Any]:
        """Return what the command line prints of it."""
        best = self.best
        return {
            "sweep": self.name,
            "state": self.state,
            "trials": self.total,
            "done": self.count(Outcome.FINISHED),
            "pruned": self.count(Outcome.PRUNED),
            "failed": self.count(Outcome.FAILED),
            "running": len(self.running),
            "best": None
            if best is None
            else {"trial": best.slot.number, "run": best.run, "settings": best.settings}
            | {"validation_accuracy": best.accuracy},
        }


def _with(outcome: Outcome, trials: Iterable[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.outcome == outcome]


def run_name(sweep: str, slot: Slot, attempt: int) -> str:
    """Return the name of a trial's run, such as `rates-12`, or `rates-12.2` for the second try."""
    kind = f"-best{slot.setting}-seed" if slot.setting else "-"
    return f"{sweep}{kind}{slot.number}" + (f".{attempt + 1}" if attempt else "")


def config_for(sweep: Sweep, slot: Slot, settings: Settings) -> TrainConfig:
    """Return the configuration of a trial in this slot. Raises ConfigError."""
    config = configured(sweep.plan.base, settings)
    if slot.setting and sweep.confirmation:
        return config.changed({"seed": sweep.confirmation.seeds[slot.number - 1]})
    return config

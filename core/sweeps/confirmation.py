"""Train the best settings again with other seeds, and find the winner among them.

Every choice is made on validation. When the last seed is done, only the winner's networks read the
test images, and only once.
"""

import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from core.config import TrainConfig
from core.data import mnist
from core.errors import CheckpointError, RunError
from core.evaluation import significance
from core.runs import answers, catalogue, files
from core.runs.settings import Spread, spread
from core.sweeps import storage, sweep
from core.sweeps.space import Settings, configured
from core.sweeps.sweep import Outcome, Sweep, Trial

_log = logging.getLogger("digitlab")


@dataclass(frozen=True)
class Confirmed:
    """The trials that repeat one trial's settings with other seeds; at least one."""

    seeds: list[Trial]

    @property
    def number(self) -> int:
        """The number of the trial whose settings these are."""
        return self.seeds[0].number

    @property
    def settings(self) -> Settings:
        """A value for each field that varies."""
        return self.seeds[0].settings

    @property
    def accuracies(self) -> list[float]:
        """The validation accuracies in [0, 1] of the seeds that are done."""
        return [one.accuracy for one in self.seeds if one.accuracy is not None]

    @property
    def spread(self) -> Spread | None:
        """Mean, standard deviation and n of the accuracies; None before the first."""
        return spread(self.accuracies)

    @property
    def is_complete(self) -> bool:
        """Whether every seed has finished; settings that sometimes diverge cannot win."""
        return all(one.outcome == Outcome.FINISHED for one in self.seeds)

    def summary(self) -> dict[str, Any]:
        """Return the fields that the command line prints."""
        found = self.spread
        return {
            "confirmed": self.number,
            "settings": self.settings,
            "validation_accuracy": found and found.mean,
            "deviation": found and found.deviation,
            "n": found.n if found else 0,
            "seeds": {str(one.seed): one.outcome for one in self.seeds},
            "runs": [one.run for one in self.seeds],
        }


@dataclass(frozen=True)
class Verdict:
    """The winner, the second best, and their comparison.

    `compared` is Welch's test of the validation accuracies; None if they do not differ at all, or
    if nothing else was confirmed.
    """

    winner: Confirmed
    second: Confirmed | None
    compared: significance.Seeds | None

    @cached_property
    def tested(self) -> Spread | None:
        """The winner's test accuracy over its seeds; None before it is tested."""
        found = [_test_accuracy(one.run) for one in self.winner.seeds]
        return spread([accuracy for accuracy in found if accuracy is not None])

    @property
    def is_tested(self) -> bool:
        """Whether all the winner's seeds have read the test images."""
        return self.tested is not None and self.tested.n == len(self.winner.seeds)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        winner = f"Trial {self.winner.number}"
        if self.second is None:
            return f"{winner} is the only setting that was confirmed."
        second = f"trial {self.second.number}"
        if self.compared is None:
            return f"{winner} and {second} cannot be told apart: their seeds do not differ."
        chance = f"p = {self.compared.p_value:.2g}"
        if self.compared.p_value < significance.LEVEL:
            return f"{winner} is significantly better than {second} ({chance})."
        needed = self.compared.needed or "more than 200"
        return (
            f"{winner} did best, but its lead over {second} may be chance ({chance}). Finding a "
            f"difference as large as this one takes {needed} seeds of each."
        )

    def summary(self) -> dict[str, Any]:
        """Return the fields that the command line prints."""
        return {
            "winner": self.winner.number,
            "test_accuracy": self.tested and self.tested.mean,
            "deviation": self.tested and self.tested.deviation,
            "n": self.tested.n if self.tested else 0,
            "second": self.second and self.second.number,
            "verdict": self.sentence,
            **(asdict(self.compared) if self.compared else {}),
        }


def candidates(now: Sweep) -> list[Trial]:
    """Return the finished trials, best first; of several with the same configuration, the best one.

    Settings without effect, such as SGD's momentum with Adam, do not make a difference.
    """
    found: dict[TrainConfig, Trial] = {}
    for one in now.finished:
        found.setdefault(configured(now.plan.base, one.settings), one)
    return list(found.values())


def confirmed(now: Sweep) -> list[Confirmed]:
    """Return the settings that are being confirmed: complete ones first, then by their mean."""
    numbers = dict.fromkeys(one.number for one in now.confirming)
    found = [
        Confirmed([one for one in now.confirming if one.number == number]) for number in numbers
    ]

    def rank(one: Confirmed) -> tuple[bool, float]:
        return one.is_complete, one.spread.mean if one.spread else 0.0

    return sorted(found, key=rank, reverse=True)


def verdict(now: Sweep) -> Verdict | None:
    """Return the comparison of the best two settings; None before every seed is done.

    Also None if no setting has finished with every seed.
    """
    complete = [one for one in confirmed(now) if one.is_complete]
    if now.state != "finished" or not complete:
        return None
    winner, *others = complete
    if not others:
        return Verdict(winner, None, None)
    compared = significance.welch(winner.accuracies, others[0].accuracies)
    return Verdict(winner, others[0], compared)


def read_test(name: str) -> None:
    """Read the test images once for each of the winner's seeds, if there is a winner.

    Raises SweepError, StoreError.
    """
    found = verdict(sweep.get(name))
    for one in found.winner.seeds if found else ():
        with storage.locked():  # another worker may be here too
            _read_test(one.run)


def _read_test(run_id: str) -> None:
    from core.reading.reader import fit_calibration
    from core.training import checkpoint

    try:
        run = catalogue.get(run_id)
        if run.test_accuracy is not None:
            return
        best = checkpoint.load(files.path(run, files.BEST))
    except (RunError, CheckpointError) as error:  # it was deleted
        _log.warning("%s", error)
        return
    digits = mnist.load(run.data)
    points = [("test_accuracy", answers.read_test(run, best, digits), best["epoch"])]
    with suppress(RunError, CheckpointError):  # without validation answers, no reading is sure
        fitted = fit_calibration(run, digits).metrics()
        points += [(name, value, best["epoch"]) for name, value in fitted.items()]
    catalogue.log(run.id, points)


def _test_accuracy(run_id: str) -> float | None:
    try:
        return catalogue.get(run_id).test_accuracy
    except RunError:  # it was deleted
        return None

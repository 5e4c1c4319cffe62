"""Do a sweep's trials in this process, one after the other; any number of workers may join.

A trial is claimed while holding the sweeps' lock, so that none is done twice. Before that, a worker
settles the trials whose runs are over: a dead worker's trial is marked FAIL and queued again.
"""

import gc
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from core.data import mnist
from core.data.digits import SOURCES, Digits
from core.errors import ConfigError, DataError, StoreError, SweepError
from core.jobs import worker
from core.runs import catalogue
from core.runs.person import Person
from core.runs.run import Run
from core.sweeps import confirmation, search, settlement, storage, sweep
from core.sweeps.space import configured, whole

if TYPE_CHECKING:  # optuna takes 0.8 s, torch more
    from optuna.trial import Trial

    from core.training.events import Epoch

_log = logging.getLogger("digitlab")
_POLL = 1.0  # seconds between two checks for a trial to do
_IDLE = 3600.0  # seconds without a trial, as in a paused sweep, after which a worker leaves


def work(
    name: str,
    most: int | None = None,
    threads: int | None = None,
    report: Callable[[Run], None] = lambda run: None,
) -> None:
    """Do trials of a sweep until it is over, or at most `most` trials.

    After SIGTERM or Ctrl-C, the trial in progress is left to the other workers. The last worker of
    a sweep that is being confirmed tests the winner.

    Args:
        name: the sweep's name.
        most: the number of trials after which this worker leaves.
        threads: torch's threads on the processor; by default as many as there are cores.
        report: called with each trial's run when it is over.

    Raises SweepError if there is no such sweep, DataError if its data are not on this machine, and
    any error of a run except ConfigError, which is due to the settings, not to this machine.

    """
    plan = sweep.get(name).plan
    if mnist.source() != plan.data:
        raise DataError(
            f"The sweep {name} trains on {SOURCES[plan.data]}, which this machine does not "
            "use. Set DIGITLAB_DATA, or fetch it: python -m core data --download"
        )
    if threads:
        import torch

        torch.set_num_threads(threads)
    digits = mnist.load(plan.data)  # for all trials
    done, idle = 0, time.monotonic()
    with _leaving() as leaving, settlement.at_work():
        try:
            while not leaving.is_set() and (most is None or done < most):
                found = _claimed(name, idle)
                if found:
                    trial, run = found
                    run = _done(trial, run, digits)
                    done, idle = done + 1, time.monotonic()
                    report(run)
                    if settlement.was_left(run):
                        return
                elif sweep.get(name).state == "finished" or time.monotonic() > idle + _IDLE:
                    break
                else:
                    leaving.wait(_POLL)
        finally:
            with storage.locked(), storage.opened(name) as study:
                settlement.settle(study)
    confirmation.read_test(name)


@contextmanager
def _leaving() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set, between two trials."""
    event = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: event.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield event
    finally:
        for number, handle in before.items():
            signal.signal(number, handle)


def _claimed(name: str, idle: float) -> "tuple[Trial, Run] | None":
    """Return the next trial to do; None if there is none, or while a store does not answer."""
    try:
        return claim(name)
    except (StoreError, SweepError) as error:
        if time.monotonic() > idle + _IDLE:
            raise
        _log.warning("%s", error)
        return None


def claim(name: str) -> "tuple[Trial, Run] | None":
    """Take the next trial of a sweep and request its run; None if there is nothing to do now.

    First settles the trials whose runs are over. Raises SweepError, StoreError.
    """
    with storage.locked(), storage.opened(name) as study:
        settlement.settle(study)
        now = sweep.read(study)
        if now.plan.paused:
            return None
        if not any(one.outcome == sweep.Outcome.WAITING for one in (*now.trials, *now.confirming)):
            settings = None if now.is_spent else search.propose(now)
            if settings is None:
                return None
            study.enqueue_trial(settings)
        study.pruner = search.pruner(now)
        trial = study.ask(whole(now.plan.space))
        for key, value in settlement.here().items():
            trial.set_user_attr(key, value)
        plan, attrs = now.plan, trial.user_attrs
        config = configured(plan.base, trial.params)
        if "seed" in attrs:
            config = replace(config, seed=attrs["seed"])
            title = f"{name} {attrs['confirms']}, seed {config.seed}"
        else:
            first = attrs.get("first", trial.number)
            title = f"{name} {list(sweep.attempts(study)).index(first) + 1}"
        run = catalogue.create(
            config,
            plan.data,
            plan.recipe,
            title + " again" * (attrs.get("attempt", 1) - 1),
            by=Person(plan.author, plan.owner),
            sweep=name,
        )
        trial.set_user_attr("run", run.id)
        return trial, run


def _done(trial: "Trial", run: Run, digits: Digits) -> Run:
    """Train a trial's run and return it; it is stopped if another worker has taken up the trial."""
    try:
        return worker.work(run, False, lambda epoch: _judge(trial, run, epoch), digits)
    except ConfigError:
        return catalogue.get(run.id)
    finally:
        gc.collect()  # before the next run freezes all objects


def _judge(trial: "Trial", run: Run, epoch: "Epoch") -> str:
    """Report an epoch; return why the run should stop, or nothing."""
    from optuna.exceptions import UpdateFinishedTrialError

    try:
        with storage.explained():
            trial.report(epoch.validation_accuracy, epoch.epoch)
            searches = "seed" not in trial.user_attrs  # confirming trials are never pruned
            if searches and epoch.epoch < run.config.epochs and trial.should_prune():
                return f"{settlement.PRUNED} after epoch {epoch.epoch} of {run.config.epochs}"
    except UpdateFinishedTrialError:
        return settlement.TAKEN
    except SweepError as error:  # the run continues, and its end will be recorded
        _log.warning("%s", error)
    return ""

"""Reading a sweep settles the trials of dead workers."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.runs import catalogue
from core.runs.run import State
from core.sweeps import control, settlement, storage, sweep, worker
from core.sweeps.sweep import Outcome


def test_a_sweep_whose_only_worker_died_waits_for_another(start: Any) -> None:
    """Its trial is to be tried again as soon as its run's lease has ended, with no worker there."""
    start(trials=2)
    claimed = worker.claim("search")
    assert claimed and settlement.settled("search").state == "running"
    catalogue.forfeit(claimed[1].id)
    assert sweep.get("search").state == "running"  # until somebody looks
    now = settlement.settled("search")
    assert [one.outcome for one in now.trials] == [Outcome.WAITING] and now.state == "waiting"
    assert sweep.get("search") == now


def test_a_dead_workers_trial_is_given_up_at_once_and_nobody_elses(start: Any) -> None:
    """It does not wait for the run's lease to end; the trial of another process continues."""
    start(trials=2)
    claimed = worker.claim("search")
    assert claimed
    settlement.abandon("search", os.getpid() + 1)
    assert sweep.get("search").state == "running"
    settlement.abandon("search", os.getpid())
    assert catalogue.get(claimed[1].id).state == State.FAILED
    assert sweep.get("search").state == "waiting"


def test_a_worker_whose_lock_is_free_has_died(start: Any, own_runs: Path) -> None:
    """Whoever claims the next trial gives its own up at once; a lock that is held says nothing."""
    start(trials=2)
    with settlement.at_work():
        claimed, others = worker.claim("search"), worker.claim("search")
        assert claimed and others and worker.claim("search") is None
        [sign] = (own_runs / "sweep-workers").iterdir()
    sign.touch()  # who dies leaves it there, unlocked
    again = worker.claim("search")
    assert again and again[1].name == f"{claimed[1].name} again"
    assert catalogue.get(claimed[1].id).state == State.FAILED
    assert not sign.exists()  # else one would remain of each worker that dies


@pytest.mark.slow
def test_a_worker_that_we_started_and_that_is_killed_is_noticed(
    start: Any,
) -> None:
    """The process that started it gives its trial up, long before the lease would end."""
    start(trials=1, epochs=200)
    control.launch("search", 1)
    going = _until(lambda: [one for one in sweep.get("search").trials if one.reached])
    [attributes] = _attributes("search")
    os.kill(attributes["process"], signal.SIGKILL)
    _until(lambda: sweep.get("search").state == "waiting")
    assert catalogue.get(going[0].run).state == State.FAILED


def _attributes(name: str) -> list[dict[str, Any]]:
    with storage.opened(name) as study:
        return [trial.user_attrs for trial in study.get_trials()]


def _until(what: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found

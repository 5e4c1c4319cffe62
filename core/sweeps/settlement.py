"""Record in a sweep how the runs of its trials ended; queue those of dead workers again.

Both workers and pages do this when they read a sweep. Otherwise, a sweep whose only worker was
killed would look as if it were in progress.
"""

import os
import platform
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core.errors import RunError
from core.runs import catalogue
from core.runs.run import Run, State
from core.runs.store import directory
from core.sweeps import storage, sweep
from core.sweeps.sweep import ATTEMPTS, Outcome, Sweep

if TYPE_CHECKING:  # optuna takes 0.8 s
    from optuna.study import Study
    from optuna.trial import FrozenTrial

PRUNED = "pruned"  # the reason of a pruned run begins with this
TAKEN = "another worker has taken up its trial"
_CONFIRMS = ("seed", "confirms")  # attributes of confirming trials
_names: list[str] = []  # this process's name as a worker; one at most


@contextmanager
def at_work() -> Iterator[None]:
    """Hold a lock while this process does trials, so that others in its folder notice its death."""
    name = secrets.token_hex(16)
    path = _sign_of(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire(timeout=0)
    except OSError:  # a full disk: its death will be noticed only when its runs' leases end
        yield
        return
    _names.append(name)
    try:
        yield
    finally:
        _names.remove(name)
        path.unlink(missing_ok=True)
        lock.release()


def here() -> dict[str, str | int]:
    """Return the attributes of a trial that identify this process as its worker."""
    return {"host": platform.node(), "process": os.getpid(), "worker": "".join(_names[-1:])}


def _sign_of(name: str) -> Path:
    """Return the lock file of a worker."""
    return directory() / "sweep-workers" / name


def _has_died(trial: "FrozenTrial") -> bool:
    """Return whether a trial's worker, if it worked in this folder, has died."""
    name = str(trial.user_attrs.get("worker", ""))
    if not re.fullmatch("[0-9a-f]{32}", name) or not _sign_of(name).exists():
        return False
    try:
        with FileLock(_sign_of(name), timeout=0):
            return True
    except (Timeout, OSError):
        return False


def settled(name: str) -> Sweep:
    """Return a sweep, after settling the trials of dead workers. Raises SweepError, StoreError.

    If the runs of all open trials are still in progress, nothing more is read.
    """
    now = sweep.get(name)
    open_runs = {
        one.run for one in (*now.trials, *now.confirming) if one.outcome == Outcome.RUNNING
    }
    if not open_runs or open_runs <= {run.id for run in catalogue.in_progress()}:
        return now
    with storage.locked(), storage.opened(name) as study:
        settle(study)
        return sweep.read(study)


def abandon(name: str, process: int) -> None:
    """Give up the trial of a dead worker on this machine without waiting for its run's lease.

    Raises SweepError, StoreError.
    """
    worker = {"host": platform.node(), "process": process}
    with storage.locked(), storage.opened(name) as study:
        for trial in study.get_trials(deepcopy=False):
            if trial.state.name == "RUNNING" and trial.user_attrs.items() >= worker.items():
                with suppress(RunError):  # it was deleted
                    catalogue.forfeit(trial.user_attrs.get("run", ""))
        settle(study)


def was_left(run: Run) -> bool:
    """Return whether a run was stopped because somebody stopped its worker."""
    pruned = run.reason.startswith((PRUNED, TAKEN))
    return run.state == State.STOPPED and not pruned and not catalogue.stop_requested(run.id)


def settle(study: "Study") -> None:
    """Record in the study how the trials whose runs are over ended; queue those that died again."""
    from optuna.trial import TrialState

    dead = set()
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        run_id = trial.user_attrs.get("run", "")
        try:
            if run_id and _has_died(trial):
                dead.add(trial.user_attrs["worker"])
                catalogue.forfeit(run_id)  # its lease would end later
            run = catalogue.get(run_id) if run_id else None
        except RunError:  # it was deleted
            run = None
        if run is None or run.state.is_over:
            _tell(study, trial, run)
    # Only after all are recorded; otherwise a worker killed here would lose one, or queue it twice.
    for first, tried in sweep.attempts(study).items():
        last = tried[-1]
        attempt, left = last.user_attrs.get("attempt", 1), last.user_attrs.get("left", False)
        if last.state == TrialState.FAIL and (left or attempt < ATTEMPTS):
            kept = {key: last.user_attrs[key] for key in _CONFIRMS if key in last.user_attrs}
            again = {"first": first, "attempt": attempt + (not left)}
            study.enqueue_trial(sweep.settings(last), user_attrs=kept | again)
    for worker in dead:
        _sign_of(worker).unlink(missing_ok=True)


def _tell(study: "Study", trial: "FrozenTrial", run: Run | None) -> None:
    """Record in the study how a trial ended. If `run` is None, it was deleted or never created."""
    from optuna.trial import TrialState

    def note(key: str, value: float | bool) -> None:
        study._storage.set_trial_user_attr(trial._trial_id, key, value)

    if run is None:
        note("left", not trial.user_attrs.get("run"))
        study.tell(trial.number, state=TrialState.FAIL)
        return
    note("seconds", run.train_seconds or 0.0)
    note("left", was_left(run))
    if run.state == State.FINISHED and run.validation_accuracy is not None:
        study.tell(trial.number, run.validation_accuracy)
    elif run.state in (State.STOPPED, State.DIVERGED) and not was_left(run):
        study.tell(trial.number, state=TrialState.PRUNED)
    else:
        study.tell(trial.number, state=TrialState.FAIL)

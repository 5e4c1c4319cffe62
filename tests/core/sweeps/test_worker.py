"""Workers: every trial is done once, whichever workers join, leave or die."""

import gc
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.__main__ import main
from core.data import mnist
from core.errors import DataError, RunError
from core.runs import actions, answers, catalogue
from core.runs.person import OWNER
from core.runs.run import State
from core.sweeps import control, sweep, worker
from core.sweeps.sweep import Outcome

Worker = subprocess.Popen[str]


@pytest.fixture
def workers() -> Iterator[Callable[[], Worker]]:
    """A function that starts a worker of the sweep `search`; all are killed after the test."""
    started: list[Worker] = []

    def start() -> Worker:
        command = [sys.executable, "-m", "core", "sweep", "work", "search", "--threads", "1"]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()


def wait_for(what: Callable[[], Any], seconds: float = 90) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_no_trial_is_lost_or_done_twice_when_a_worker_is_killed(
    start: Any, workers: Callable[[], Worker]
) -> None:
    """A killed worker's trial is marked FAIL and taken up by the other worker within 30 s."""
    start(trials=3, pruner="none", epochs=25)
    victim, survivor = workers(), workers()

    def both_train() -> list[str]:
        now = [one for one in sweep.get("search").trials if one.outcome == Outcome.RUNNING]
        return [one.run for one in now] if sum(bool(one.reached) for one in now) == 2 else []

    going = wait_for(both_train)
    victim.send_signal(signal.SIGKILL)
    killed = time.time()
    out, told = survivor.communicate(timeout=120)
    assert survivor.returncode == 0, told

    done = sweep.get("search")
    assert json.loads(out)["done"] == 3
    assert [one.outcome for one in done.trials] == [Outcome.FINISHED] * 3
    assert sorted(one.attempts for one in done.trials) == [1, 1, 2]
    runs = catalogue.listed()
    [dead] = [run for run in runs if run.state != State.FINISHED]
    assert len(runs) == 4 and dead.id in going and dead.state == State.FAILED
    [again] = [run for run in runs if run.name == f"{dead.name} again"]
    assert again.config == dead.config
    assert again.started - killed < 30


def test_a_person_stops_a_trial_and_a_signal_leaves_it(start: Any) -> None:
    """A stopped run's trial is over; one whose worker was asked to stop is queued again."""
    start(trials=2)
    for by_hand in (True, False):
        claimed = worker.claim("search")
        assert claimed
        _, run = claimed
        if by_hand:
            actions.request_stop(OWNER, run)
        catalogue.move(run.id, State.STOPPED, "in epoch 1 of 2")
    again = worker.claim("search")
    assert again and again[1].name == "search 2"  # stopping in good order is not a failed attempt
    stopped, left = sweep.get("search").trials
    assert (stopped.outcome, stopped.attempts) == (Outcome.PRUNED, 1)
    assert (left.outcome, left.attempts) == (Outcome.RUNNING, 2)


def test_settings_that_fail_three_times_are_given_up(start: Any) -> None:
    """The fourth time something else is tried, or nothing if the budget is spent."""
    start(trials=1)
    names = []
    while claimed := worker.claim("search"):
        names.append(claimed[1].name)
        catalogue.move(claimed[1].id, State.FAILED, "the training process died")
    assert names == ["search 1", "search 1 again", "search 1 again again"]
    [trial] = sweep.get("search").trials
    assert (trial.outcome, trial.attempts) == (Outcome.FAILED, 3)
    assert sweep.get("search").state == "finished"


def test_a_worker_killed_while_it_claims_loses_nothing(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trial, without a run, is taken up by the next one with the same settings."""
    start(trials=1)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(catalogue, "create", killed)
        worker.claim("search")
    [orphan] = sweep.get("search").trials
    claimed = worker.claim("search")
    assert claimed
    [trial] = sweep.get("search").trials
    assert (trial.settings, trial.outcome) == (orphan.settings, Outcome.RUNNING)
    assert claimed[1].config.learning_rate == trial.settings["learning_rate"]


def test_a_paused_sweep_begins_no_trial(start: Any) -> None:
    """None is claimed until it is resumed."""
    start()
    control.pause("search", OWNER)
    assert worker.claim("search") is None
    control.resume("search", OWNER)
    assert worker.claim("search")


@pytest.mark.slow
def test_trials_are_runs_chosen_by_validation_alone(start: Any) -> None:
    """A trial is in the list of runs, with its epochs, and nothing shows its test images."""
    start(trials=2)
    worker.work("search", most=1)
    [run] = catalogue.listed()
    [trial] = sweep.get("search").trials
    assert (run.state, run.sweep, run.id) == (State.FINISHED, "search", trial.run)
    assert trial.accuracy == run.validation_accuracy == max(trial.reached.values())
    assert list(trial.reached) == [1, 2]
    assert run.test_accuracy is None and not (run.folder / "test.npy").exists()
    digits = mnist.load("sample")
    assert answers.splits(run, digits) == ("validation",)
    with pytest.raises(RunError, match="only its confirmed winner is tested"):
        answers.of(run, "test", digits)


@pytest.mark.slow
def test_bad_trials_end_early(start: Any) -> None:
    """The pruner ends a trial that is far behind, and its run says why."""
    rates = "0.01,0.0101,0.0102,0.0103,0.0104,0.000001"
    start(vary={"learning_rate": rates}, sampler="grid", trials=None)
    worker.work("search")
    by_rate = {one.settings["learning_rate"]: one for one in sweep.get("search").trials}
    slow = by_rate[0.000001]
    others = [one for one in by_rate.values() if one.outcome == Outcome.PRUNED and one != slow]
    if slow.number > 5:  # the first five have nothing to be compared with
        assert slow.outcome == Outcome.PRUNED
        assert catalogue.get(slow.run).reason == "pruned after epoch 1 of 2"
    assert slow.number > 5 or slow.outcome == Outcome.FINISHED
    assert len(others) <= 1


def test_data_that_are_not_here_are_reported_before_a_trial_begins(start: Any) -> None:
    """A worker without the sweep's data does not use up the trials' attempts."""
    start(data="mnist")
    with pytest.raises(DataError, match="data --download"):
        worker.work("search")
    assert sweep.get("search").trials == []


@pytest.mark.slow
def test_command_line_does_a_whole_sweep(
    sample_only: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Start, work, status, more, bounds, pause, list: JSON each, and an error in one line."""

    def call(*arguments: str, status: int = 0) -> tuple[list[dict[str, Any]], str]:
        assert main(["sweep", *arguments]) == status
        gc.enable()  # a command needs no collection
        told = capsys.readouterr()
        return [json.loads(line) for line in told.out.splitlines()], told.err

    [begun], told = call(
        *("start", "two", "--preset", "mlp", "--trials", "1", "--sampler", "random"),
        *("--set", "epochs=1", "train_size=500", "validation_size=100"),
        *("--vary", "learning_rate=0.001:0.1:log", "optimizer=sgd,adam"),
    )
    assert (begun["sweep"], begun["state"], begun["trials"]) == ("two", "waiting", 1)
    assert "A trial takes about" in told
    [done], told = call("work", "two")
    assert (done["state"], done["done"]) == ("finished", 1)
    assert "two 1: finished, validation" in told
    status, trial = call("status", "two")[0]
    assert status == done and trial["run"] == done["best"]["run"]
    [changed], _ = call("more", "two", "3")
    assert (changed["trials"], changed["state"]) == (4, "waiting")
    [changed], _ = call("bounds", "two", "--vary", "learning_rate=0.01:0.05")
    assert changed["vary"]["learning_rate"] == "0.01:0.05"
    assert call("pause", "two")[0][0]["state"] == "paused"
    assert [one["sweep"] for one in call("list")[0]] == ["two"]
    _, told = call("start", "two", "--vary", "epochs=1:2", "--trials", "1", status=2)
    assert "called two already" in told and len(told.splitlines()) == 1

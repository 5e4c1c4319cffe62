"""The best settings again with other seeds: which one wins, and which runs are tested."""

import gc
import json
from typing import Any

import pytest

from core.__main__ import main
from core.data import mnist
from core.errors import RunError, SweepError
from core.runs import answers, catalogue
from core.runs.person import OWNER, Person
from core.runs.run import State
from core.sweeps import confirmation, control, search, sweep, worker
from core.sweeps.sweep import Outcome


def do(accuracy: float | None) -> str:
    """Claim a trial of the sweep `search`, end it without training, and return its run's name.

    With an accuracy it finishes, without one it diverges.
    """
    claimed = worker.claim("search")
    assert claimed
    trial, run = claimed
    catalogue.move(run.id, State.RUNNING)
    if accuracy is not None:
        trial.report(accuracy, 1)
        catalogue.log(run.id, [("best_validation_accuracy", accuracy, 1)])
    catalogue.move(run.id, State.DIVERGED if accuracy is None else State.FINISHED)
    return run.name


@pytest.fixture
def searched(start: Any) -> None:
    """A sweep of six trials, all done; the sixth is the best, the first the worst."""
    start(trials=6, minutes=60)
    for number in range(6):
        do(0.95 + number / 200)
    worker.claim("search")


def test_the_best_are_trained_again_with_new_seeds(searched: None) -> None:
    """Each gets the seeds after the search's, whose accuracy chose it, and its own settings."""
    control.confirm("search", 2, 3, OWNER)
    names = [do(0.9) for _ in range(6)]
    assert names == [f"search {n}, seed {s}" for s in (1, 2, 3) for n in (6, 5)]
    now = sweep.get("search")
    by_name = {run.name: run for run in catalogue.listed()}
    for one in now.confirming:
        config = by_name[f"search {one.number}, seed {one.seed}"].config
        assert config.seed == one.seed != now.plan.base.seed
        assert one.settings == now.trials[one.number - 1].settings
        assert config.learning_rate == one.settings["learning_rate"]


def test_confirming_is_outside_of_the_search(searched: None) -> None:
    """Neither its trials, budget, best nor importances change, and it is over when both are."""
    before = sweep.get("search")
    now = control.confirm("search", 2, 2, OWNER)
    assert (before.state, now.state) == ("finished", "waiting")
    for _ in range(4):
        do(0.999)
    assert worker.claim("search") is None  # and nothing is proposed after them
    now = sweep.get("search")
    assert now.state == "finished"
    assert now.trials == before.trials and now.best == before.best
    assert search.importances(now) == search.importances(before)
    assert (now.summary()["done"], now.summary()["confirmed"]) == (6, 4)


def test_the_seeds_decide_and_not_the_search(searched: None) -> None:
    """The second best of the search wins if its seeds do better; the verdict is Welch's test."""
    control.confirm("search", 2, 3, OWNER)
    for best, second in ((0.91, 0.95), (0.92, 0.96), (0.90, 0.955)):
        assert confirmation.verdict(sweep.get("search")) is None
        do(best)
        do(second)
    worker.claim("search")
    now = sweep.get("search")
    first, _ = confirmation.confirmed(now)
    assert first.spread and first.number == 5
    assert (first.spread.mean, first.spread.n) == (pytest.approx(0.955), 3)
    assert first.spread.deviation == pytest.approx(0.005)
    verdict = confirmation.verdict(now)
    assert verdict and verdict.compared and verdict.second
    assert (verdict.winner.number, verdict.second.number) == (5, 6)
    assert verdict.compared.difference == pytest.approx(0.045)
    assert "Trial 5 is significantly better than trial 6 (p = 0.0" in verdict.sentence


def test_settings_that_diverge_with_a_seed_cannot_win(searched: None) -> None:
    """Their mean leaves out what went wrong; they come last, however good the others were."""
    control.confirm("search", 2, 2, OWNER)
    for accuracy in (0.99, 0.5, None, 0.5):
        do(accuracy)
    worker.claim("search")
    now = sweep.get("search")
    assert [one.number for one in confirmation.confirmed(now)] == [5, 6]
    verdict = confirmation.verdict(now)
    assert verdict and verdict.winner.number == 5
    assert "only setting" in verdict.sentence


def test_a_dead_workers_seed_is_trained_again(searched: None) -> None:
    """With the same seed and settings, still as a confirmation."""
    control.confirm("search", 1, 2, OWNER)
    claimed = worker.claim("search")
    assert claimed
    catalogue.move(claimed[1].id, State.FAILED, "the training process died")
    assert [do(0.9), do(0.9)] == ["search 6, seed 2", "search 6, seed 1 again"]
    worker.claim("search")
    confirmed = sweep.get("search").confirming
    assert [(one.seed, one.attempts) for one in confirmed] == [(1, 2), (2, 1)]
    assert {one.outcome for one in confirmed} == {Outcome.FINISHED}


def test_trials_that_train_alike_are_confirmed_once(start: Any) -> None:
    """Adam has no momentum: of two trials that differ in it alone, the better one stands."""
    vary = {"optimizer": "adam,sgd", "momentum": "0.5,0.9"}
    start(vary=vary, sampler="grid", trials=None)
    for number in range(4):
        do(0.9 + number / 100)
    worker.claim("search")
    found = confirmation.candidates(sweep.get("search"))
    assert sorted(one.settings["optimizer"] for one in found) == ["adam", "sgd", "sgd"]
    assert found[0].accuracy == max(one.accuracy or 0 for one in sweep.get("search").trials)


def test_only_a_search_that_is_over_is_confirmed_and_once(start: Any) -> None:
    """It is refused while trials run, to others, with one seed, and twice; then it is closed."""
    start(trials=2)
    do(0.9)
    with pytest.raises(SweepError, match="is still searching"):
        control.confirm("search", 5, 5, OWNER)
    control.pause("search", OWNER)
    with pytest.raises(SweepError, match="is still searching"):  # the first has not been told yet
        control.confirm("search", 5, 5, OWNER)
    worker.claim("search")
    with pytest.raises(SweepError, match="belongs to"):
        control.confirm("search", 5, 5, Person("Ann", "a-tag"))
    with pytest.raises(SweepError, match="2 to 100 seeds"):
        control.confirm("search", 5, 1, OWNER)
    now = control.confirm("search", 5, 2, OWNER)
    assert (now.plan.trials, len(now.confirming), now.state) == (1, 2, "waiting")
    for again in (
        lambda: control.confirm("search", 5, 5, OWNER),
        lambda: control.more("search", 5, OWNER),
        lambda: control.bounds("search", {"learning_rate": "0.01:0.02"}, OWNER),
    ):
        with pytest.raises(SweepError, match="has been confirmed"):
            again()


@pytest.mark.slow
def test_the_winner_alone_is_tested(searched: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Its seeds are trained to the end, whatever the pruner says, and read the test images once."""

    def call(*arguments: str) -> tuple[list[dict[str, Any]], str]:
        assert main(["sweep", *arguments]) == 0
        gc.enable()  # a command needs no collection
        told = capsys.readouterr()
        return [json.loads(line) for line in told.out.splitlines()], told.err

    [begun], told = call("confirm", "search", "--best", "2", "--seeds", "2")
    assert (begun["state"], begun["confirming"], begun["confirmed"]) == ("waiting", 4, 0)
    assert "sweep work 'search'" in told
    [done], _ = call("work", "search")
    assert (done["state"], done["confirmed"]) == ("finished", 4)

    lines, told = call("status", "search")
    *confirmed, verdict = lines[7:]
    assert [one["n"] for one in confirmed] == [2, 2]
    assert confirmed[0]["validation_accuracy"] >= confirmed[1]["validation_accuracy"]
    assert all(one["deviation"] is not None for one in confirmed)
    assert verdict["winner"] == confirmed[0]["confirmed"] and verdict["n"] == 2
    assert verdict["second"] == confirmed[1]["confirmed"]
    assert f"Trial {verdict['winner']} " in verdict["verdict"] and verdict["verdict"] in told

    digits = mnist.load("sample")
    tested = [catalogue.get(run) for run in confirmed[0]["runs"]]
    accuracies = [run.test_accuracy for run in tested if run.test_accuracy is not None]
    assert len(accuracies) == 2
    assert verdict["test_accuracy"] == pytest.approx(sum(accuracies) / 2)
    for run in tested:
        assert answers.splits(run, digits) == answers.SPLITS
        right = answers.of(run, "test", digits).probabilities.argmax(1) == digits.test_labels
        assert right.mean() == pytest.approx(run.test_accuracy)
    others = [run for run in catalogue.listed() if run.id not in confirmed[0]["runs"]]
    assert len(others) == 8
    for run in others:
        assert run.test_accuracy is None and answers.splits(run, digits) == ("validation",)
    with pytest.raises(RunError, match="only its confirmed winner is tested"):
        answers.of(catalogue.get(confirmed[1]["runs"][0]), "test", digits)

    catalogue.log(tested[0].id, [("test_accuracy", 0.5, 2)])
    call("work", "search")
    assert catalogue.get(tested[0].id).test_accuracy == 0.5  # another reading would replace it

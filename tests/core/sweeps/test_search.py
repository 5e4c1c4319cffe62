"""What is tried next, and what the trials so far say."""

from dataclasses import replace
from typing import Any

from core.sweeps import search
from core.sweeps.space import contains, space_from
from core.sweeps.sweep import Outcome, Sweep, Trial


def tried(number: int, settings: dict[str, Any], accuracy: float) -> Trial:
    """Return a finished trial."""
    return Trial(
        number=number,
        attempts=1,
        settings=settings,
        outcome=Outcome.FINISHED,
        accuracy=accuracy,
        reached={1: accuracy},
        run="",
        host="",
        seconds=1.0,
    )


def with_trials(sweep: Sweep, *settings: dict[str, Any]) -> Sweep:
    """Return the sweep with trials that did the better, the nearer their rate is to 0.02."""
    trials = [
        tried(number, one, 1 - abs(one["learning_rate"] - 0.02))
        for number, one in enumerate(settings, 1)
    ]
    return replace(sweep, trials=trials)


def test_search_goes_where_trials_did_well(start: Any) -> None:
    """After twenty trials, TPE's proposals are nearer the best rate than random ones."""
    sweep = start(vary={"learning_rate": "0.001:0.1"}, trials=100)

    def distance(sampler: str) -> float:
        now = replace(sweep, plan=replace(sweep.plan, sampler=sampler))
        rates: list[float] = []
        for _ in range(40):
            now = with_trials(now, *({"learning_rate": rate} for rate in rates))
            found = search.propose(now)
            assert found
            rates.append(found["learning_rate"])
        return sum(abs(rate - 0.02) for rate in rates[20:]) / 20

    assert distance("tpe") < distance("random") / 2


def test_proposals_stay_within_changed_bounds(start: Any) -> None:
    """Trials outside of new bounds, of another scale, or with a choice taken away do no harm."""
    sweep = start(vary={"learning_rate": "0.001:0.1:log", "optimizer": "sgd,adam,adamw"})
    sweep = with_trials(
        sweep,
        *(
            {"learning_rate": 0.001 * number, "optimizer": optimizer}
            for number in range(1, 9)
            for optimizer in ("sgd", "adam")
        ),
    )
    space = space_from({"learning_rate": "0.03:0.04", "optimizer": "adam,adamw"})
    for sampler in ("tpe", "random"):
        narrowed = replace(sweep, plan=replace(sweep.plan, space=space, sampler=sampler))
        found = search.propose(narrowed)
        assert found and contains(space, found)


def test_grid_leaves_out_what_was_tried(start: Any) -> None:
    """Each combination is proposed once, and then nothing is."""
    sweep = start(vary={"learning_rate": "0.01:0.02", "epochs": "1,2"}, sampler="grid")
    seen: list[dict[str, Any]] = []
    while (found := search.propose(with_trials(sweep, *seen))) is not None:
        seen.append(found)
    assert len(seen) == len({tuple(one.items()) for one in seen}) == 10


def test_importance_finds_what_matters(start: Any) -> None:
    """The field that decides the accuracy has most of the importance; few trials say nothing."""
    sweep = start(vary={"learning_rate": "0.001:0.1", "dropout": "0:0.5"})
    settings = [
        {"learning_rate": 0.001 + 0.005 * (number % 20), "dropout": (number * 7 % 20) / 40}
        for number in range(20)
    ]
    found = search.importances(with_trials(sweep, *settings))
    assert list(found) == ["learning_rate", "dropout"]
    assert found["learning_rate"] > 0.8
    assert search.importances(with_trials(sweep, *settings[:3])) == {}


def test_hyperband_knows_the_longest_trial(start: Any) -> None:
    """Its most epochs are the sweep's, whether they vary or not; median and none are Optuna's."""
    for vary, most in (({"epochs": "2:9"}, 9), ({"epochs": "3,7"}, 7), ({"dropout": "0:0.5"}, 2)):
        sweep = start(f"search {most}", vary=vary, pruner="hyperband")
        assert search.pruner(sweep)._max_resource == most  # type: ignore[attr-defined]
    named = {name: type(search.pruner(start(name, pruner=name))) for name in ("median", "none")}
    assert [one.__name__ for one in named.values()] == ["MedianPruner", "NopPruner"]

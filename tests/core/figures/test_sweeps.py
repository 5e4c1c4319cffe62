"""The figures of a sweep."""

import pytest

from core.config import TrainConfig
from core.figures import sweeps
from core.sweeps.space import space_from
from core.sweeps.sweep import Outcome, Plan, Sweep, Trial


def made(*trials: tuple[float, str, float | None]) -> Sweep:
    """Return a sweep whose trials have these rates, optimizers and accuracies; None was pruned."""
    space = space_from({"learning_rate": "0.001:0.1:log", "optimizer": "sgd,adam"})
    return Sweep(
        name="search",
        plan=Plan(base=TrainConfig(), recipe="", data="sample", space=space, trials=9),
        trials=[
            Trial(
                number=number,
                attempts=1,
                settings={"learning_rate": rate, "optimizer": optimizer},
                outcome=Outcome.PRUNED if accuracy is None else Outcome.FINISHED,
                accuracy=accuracy,
                reached={1: 0.2 if accuracy is None else accuracy},
                run="",
                host="",
                seconds=1.0,
            )
            for number, (rate, optimizer, accuracy) in enumerate(trials, 1)
        ],
    )


SWEEP = made((0.01, "adam", 0.5), (0.1, "sgd", None), (0.001, "adam", 0.4), (0.03, "sgd", 0.7))


def test_history_shows_every_trial_and_the_best_so_far() -> None:
    """The line never falls, and trials that ended early are not on it."""
    finished, pruned, _, best = sweeps.history(SWEEP).data
    assert (list(finished.x), list(pruned.x)) == ([1, 3, 4], [2])
    assert (list(best.x), list(best.y)) == ([1, 3, 4], [0.5, 0.5, 0.7])


def test_a_line_has_its_place_on_every_axis() -> None:
    """Rates by magnitude, words as steps, accuracy last; ticks tell the values."""
    [lines] = sweeps.parallel_coordinates(SWEEP).data
    rate, optimizer, accuracy = lines.dimensions
    assert list(rate.values) == pytest.approx([-2, -1, -3, -1.5229], abs=1e-3)
    assert (rate.ticktext[0], rate.ticktext[-1]) == ("0.001", "0.1")
    assert list(optimizer.values) == [1, 0, 1, 0]
    assert list(optimizer.ticktext) == ["sgd", "adam"]
    assert list(accuracy.values) == list(lines.line.color) == [0.5, 0.2, 0.4, 0.7]


def test_trials_from_before_new_bounds_are_still_drawn() -> None:
    """A value that is no longer allowed keeps its line, and its place on the axis."""
    sweep = made((0.5, "adadelta", 0.5), (0.01, "adam", 0.6))
    [lines] = sweeps.parallel_coordinates(sweep).data
    rate, optimizer, _ = lines.dimensions
    assert rate.range[1] == pytest.approx(-0.301, abs=1e-3)
    assert list(optimizer.ticktext) == ["sgd", "adam", "adadelta"]


def test_importances_are_largest_on_top() -> None:
    """Bars go upwards in Plotly, so the largest is last."""
    [bars] = sweeps.importances({"learning_rate": 0.8, "dropout": 0.2}).data
    assert (list(bars.y), list(bars.x)) == (["dropout", "learning rate"], [0.2, 0.8])

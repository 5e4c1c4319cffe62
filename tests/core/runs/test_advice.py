"""What a finished run means, and what to try next."""

from dataclasses import replace

import pandas as pd
import pytest

from core.config import TrainConfig
from core.runs import builtin
from core.runs.advice import Advice, advice
from core.runs.history import History
from core.runs.run import Run, State


def over(state: State = State.FINISHED, best: float | None = 0.97, **settings: object) -> Run:
    """Return a run that has ended in this state."""
    config = TrainConfig(epochs=4).changed(settings)
    epoch = None if best is None else config.epochs
    return replace(
        builtin.run(), state=state, validation_accuracy=best, best_epoch=epoch, config=config
    )


def told(run: Run, *epochs: tuple[float, float]) -> Advice:
    """Return the advice on a run with these accuracies, in training and in validation."""
    table = pd.DataFrame(epochs, columns=["train_accuracy", "validation_accuracy"])
    found = advice(run, History(pd.DataFrame(), table))
    assert found
    return found


@pytest.mark.parametrize(
    ("optimizer", "rate", "tried"), [("adamw", 5, 0.005), ("sgd", 0.02, 0.002), ("adam", 1, 0.001)]
)
def test_diverged_run_was_too_fast(optimizer: str, rate: float, tried: float) -> None:
    """A rate that is usual for the optimizer is tried, or a tenth if that is lower."""
    found = told(over(State.DIVERGED, None, optimizer=optimizer, learning_rate=rate))
    assert "steps were too large" in found.meaning
    assert found.changes == {"learning_rate": tried}
    assert found.label == f"Try a learning rate of {tried:g}"


@pytest.mark.parametrize(("rate", "word"), [(5, "high"), (1e-5, "low")])
def test_guessing_is_recognized(rate: float, word: str) -> None:
    """A finished run with 9.92 % is called no better than guessing, with the likely reason."""
    found = told(over(best=0.0992, learning_rate=rate), (0.1, 0.0992))
    assert "9.92 % of the digits: no better than guessing" in found.meaning
    assert f"too {word}" in found.meaning
    assert found.changes == {"learning_rate": 0.005}


def test_a_run_that_has_all_images_is_not_advised_to_take_them() -> None:
    """On the sample, a run that asks for 40,000 images has learned from all 3,000."""
    asked = replace(over(best=0.9, train_size=40_000), data="sample")
    assert told(asked, (1.0, 0.9)).changes == {"shift": 2, "rotation": 10, "scale": 0.1}
    assert told(replace(asked, data="mnist"), (1.0, 0.9)).changes == {"train_size": 0}


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"train_size": 300}, {"train_size": 0}),
        ({}, {"shift": 2, "rotation": 10, "scale": 0.1}),
        ({"shift": 2}, {"dropout": 0.5}),
        ({"shift": 2, "dropout": 0.2}, {}),
    ],
)
def test_overfitting_is_recognized(settings: dict[str, object], changes: dict[str, object]) -> None:
    """100 % in training and 83 % in validation: more images, then moved ones, then dropout."""
    found = told(over(best=0.83, **settings), (0.9, 0.82), (1.0, 0.83))
    assert "reads 100.00 % of those, and only 83.00 % of others" in found.meaning
    assert found.changes == changes and bool(found.label) == bool(changes)


def test_run_that_ended_too_early_is_recognized() -> None:
    """A run that was still improving is offered twice the epochs."""
    found = told(over(best=0.93), (0.8, 0.85), (0.9, 0.93))
    assert "still getting better" in found.meaning
    assert found.changes == {"epochs": 8}


def test_run_that_trained_too_long_is_recognized() -> None:
    """If the best epoch lies in the first half, early stopping is offered."""
    run = replace(over(best=0.98, epochs=8), best_epoch=3)
    found = told(run, *[(0.99, 0.98)] * 8)
    assert "best after epoch 3, and the 5 after it" in found.meaning
    assert found.changes == {"patience": 3}


def test_good_run_is_described_in_everyday_numbers() -> None:
    """99.20 % is 1 in 125; what is not tried yet is offered."""
    found = told(over(best=0.992), (0.99, 0.991), (0.995, 0.992))
    assert (
        "99.20 % of the validation images, which it never learned from: 1 in 125 is misread"
        in found.meaning
    )
    assert found.changes == {"shift": 2}
    assert told(over(best=0.98, network="mlp"), (0.98, 0.98)).changes == {"network": "fast_cnn"}
    assert told(over(best=1.0, shift=2), (1.0, 1.0)).meaning.endswith(": none is misread.")


@pytest.mark.parametrize("state", [State.STOPPED, State.FAILED, State.RUNNING])
def test_what_did_not_end_by_itself_gets_no_advice(state: State) -> None:
    """A run that was stopped by hand gets no advice."""
    assert advice(over(state), History(pd.DataFrame(), pd.DataFrame())) is None

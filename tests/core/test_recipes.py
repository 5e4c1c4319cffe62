"""The named recipes hold what their sources do."""

import json
import statistics
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.recipes import RECIPES, recipe


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "simple_cnn",
            {
                "batch_size": 64,
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "weight_decay": 1e-4,
                "schedule": "step",
                "step_every": 5,
                "step_factor": 0.5,
                "epochs": 10,
                "dropout": 0.4,
                "mean": 0.1307,
                "std": 0.3081,
            },
        ),
        ("digit_cnn", {"batch_size": 128, "optimizer": "adam", "epochs": 5}),
        (
            "mlp",
            {
                "optimizer": "sgd",
                "learning_rate": 0.01,
                "momentum": 0.9,
                "epochs": 20,
                "mean": 0.5,
                "std": 0.5,
            },
        ),
        (
            "pytorch_example",
            {
                "optimizer": "adadelta",
                "learning_rate": 1.0,
                "schedule": "exponential",
                "step_factor": 0.7,
                "epochs": 14,
                "dropout": 0.5,
            },
        ),
        ("lenet5", {"batch_size": 64, "epochs": 10}),
        ("fast_cnn", {"batch_size": 256, "optimizer": "adamw", "schedule": "one_cycle"}),
    ],
)
def test_recipes_are_their_sources(name: str, expected: dict[str, object]) -> None:
    """Each tutorial's settings are reproduced, network included."""
    config = RECIPES[name].config.to_dict()
    assert config["network"] == name
    assert {field: config[field] for field in expected} == expected


@pytest.mark.parametrize("name", ["fast_990", "fast_992", "fast_995", "fast_997"])
def test_fast_recipes_say_what_was_measured(name: str) -> None:
    """The app tells the figures that benchmarks/speed.py wrote down, as means over its runs."""
    path = Path(__file__).parents[2] / "benchmarks" / "results" / "speed.json"
    accuracy = json.loads(path.read_text())["accuracy"]
    seconds, reached = zip(*accuracy["seconds_and_test_accuracy"][name], strict=True)
    told = RECIPES[name].measured
    assert told is not None and told.runs == len(seconds)
    assert told.test_accuracy == pytest.approx(statistics.mean(reached), abs=5e-5)
    assert told.seconds == pytest.approx(statistics.mean(seconds), rel=0.01)


def test_mlp_says_what_it_does_differently() -> None:
    """Where the tutorial applies softmax before cross-entropy, the app says that it does not."""
    assert "softmax" in RECIPES["mlp"].summary


def test_unknown_recipe_suggests_the_nearest() -> None:
    """A misspelled recipe is answered with the one that was meant."""
    with pytest.raises(ConfigError, match="Did you mean fast_cnn"):
        recipe("fast_cn")

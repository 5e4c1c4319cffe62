"""The network in the repository is what its card says."""

from pathlib import Path

import pytest

from core import builtin, data, models, runs
from core.config import TrainConfig
from core.errors import RunError


def test_accuracy_on_the_sample_is_what_the_facts_say() -> None:
    """The same file reads the same digits, whatever the machine: five images may differ."""
    found = builtin.accuracy(builtin.reader(), data.load("sample"))
    assert found == pytest.approx(builtin.facts()["sample_accuracy"], abs=0.005)


def test_accuracy_on_the_full_set_is_what_the_card_says(full_data: Path) -> None:
    """The card's figure is the test set's, at least 99.5 %."""
    found = builtin.accuracy(builtin.reader(), data.load("mnist"))
    assert found == pytest.approx(builtin.facts()["test_accuracy"], abs=0.0005)
    assert found >= 0.995
    assert f"{builtin.facts()['test_accuracy']:.2%}" in builtin.CARD.read_text()


def test_it_is_small_and_says_how_small() -> None:
    """At most a megabyte."""
    size = builtin.WEIGHTS.stat().st_size
    assert size == builtin.facts()["bytes"] <= 1_000_000
    parameters = models.parameter_count(builtin.reader().model)
    assert f"{parameters:,} parameters" in builtin.CARD.read_text()


def test_only_a_finished_run_on_the_full_set_can_become_it() -> None:
    """What greets every visitor is no experiment."""
    run = runs.create(TrainConfig(), "sample")
    with pytest.raises(RunError, match="needs a finished run on the full MNIST"):
        builtin.make(run)

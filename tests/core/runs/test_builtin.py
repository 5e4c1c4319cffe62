"""The network in the repository is as its card says."""

from pathlib import Path

import pytest

from core.data import mnist
from core.errors import RunError
from core.evaluation import metrics
from core.reading.reader import Reader
from core.runs import answers, builtin, catalogue
from core.runs.history import read_history
from core.training import networks


def accuracy(source: str) -> float:
    """Return the share of a data set's test images that it reads right."""
    digits = mnist.load(source)
    found = answers.of(builtin.run(), answers.splits(builtin.run(), digits)[0], digits)
    return metrics.score(found.probabilities, found.labels)[1]


def test_accuracy_on_the_sample_is_what_the_facts_say(sample_only: None) -> None:
    """The same file reads the same digits, whatever the machine: five images may differ."""
    assert accuracy("sample") == pytest.approx(builtin.facts()["sample_accuracy"], abs=0.005)


def test_accuracy_on_the_full_set_is_what_the_card_says(full_data: Path) -> None:
    """The card's figure is the test set's, at least 99.5 %."""
    said, found = builtin.run().test_accuracy, accuracy("mnist")
    assert found == pytest.approx(said, abs=0.0005)
    assert found >= 0.995
    assert f"{said:.2%}" in builtin.CARD.read_text()


def test_it_is_small_and_says_how_small() -> None:
    """At most a megabyte."""
    size = builtin.WEIGHTS.stat().st_size
    assert size == builtin.facts()["bytes"] <= 1_000_000
    parameters = networks.parameter_count(Reader(builtin.run()).model)
    assert parameters == builtin.run().parameters
    assert f"{parameters:,} parameters" in builtin.CARD.read_text()


def test_its_course_ends_with_its_best_epoch_known() -> None:
    """Compare draws its curve as any run's: an epoch a row, the best one where the run says."""
    run, epochs = builtin.run(), read_history(builtin.run()).epochs
    assert len(epochs) == run.epochs == run.config.epochs
    best = epochs.set_index("epoch").loc[run.best_epoch]
    assert best["validation_accuracy"] == run.validation_accuracy


def test_it_is_found_by_its_name(empty_store: Path) -> None:
    """`built-in` names it wherever a RUN is expected; `best` means one of your own runs."""
    assert catalogue.find("built-in") == catalogue.get("built-in") == builtin.run()
    with pytest.raises(RunError, match="no run yet"):
        catalogue.find("best")


def test_its_validation_images_are_the_full_sets(sample_only: None) -> None:
    """On the sample, it may have learned from what would be validation images there."""
    with pytest.raises(RunError, match="trained on other data"):
        answers.of(builtin.run(), "validation", mnist.load("sample"))

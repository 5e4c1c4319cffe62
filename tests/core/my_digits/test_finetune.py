"""Fine-tuning a run on my digits: what it learns, and how little it forgets."""

import errno
import time
from pathlib import Path

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.splits import split_for
from core.errors import CheckpointError, RunError, StoreError
from core.evaluation import metrics
from core.jobs import queue
from core.my_digits import collection, finetune
from core.my_digits.collection import Collection
from core.runs import answers, builtin, catalogue
from core.runs.run import Run, State
from core.training import loop
from core.training.checkpoint import load
from core.training.events import Epoch


def accuracy(run: Run, split: str) -> float:
    """Return a run's accuracy on a split, or on my digits."""
    if split == collection.SPLIT:
        mine = collection.load()
        found = answers.on_images(run, mine.images, mine.labels)
    else:
        found = answers.of(run, split, mnist.load("sample"))
    return metrics.score(found.probabilities, found.labels)[1]


@pytest.mark.slow
def test_taught_run_reads_what_it_could_not_and_forgets_little(sample_only: None) -> None:
    """It then reads fours upside down, MNIST almost as well, and the parent is unchanged."""
    digits = mnist.load("sample")
    fours = digits.train_images[digits.train_labels == 4][:12, ::-1, ::-1] / 255
    for image in fours:
        collection.keep(image.astype(np.float32), 4)
    parent = builtin.run()
    before = accuracy(parent, collection.SPLIT), accuracy(parent, answers.KNOWN)
    run = finetune.start(parent)
    deadline = time.monotonic() + 120
    while not catalogue.get(run.id).state.is_over and time.monotonic() < deadline:
        time.sleep(0.3)
    run = catalogue.get(run.id)
    assert (run.state, run.reason, run.taught_from) == (State.FINISHED, "", parent.id)
    after = accuracy(run, collection.SPLIT), accuracy(run, answers.KNOWN)
    assert before[0] < 0.5 < 0.9 < after[0]
    assert after[1] > 0.98
    assert (accuracy(parent, collection.SPLIT), accuracy(parent, answers.KNOWN)) == before

    # What the built-in network knows of the sample goes with what was taught.
    assert (run.seen, run.taught_digits, run.test_accuracy) == (("mnist",), 12, None)
    assert "is not a fair test" in run.warning and not (run.folder / "test.npy").exists()
    assert catalogue.best(catalogue.listed()) is None
    with pytest.raises(RunError, match="is not a fair test"):
        answers.of(run, "test", digits)
    assert answers.splits(run, digits) == (answers.KNOWN, "validation")


def test_what_ancestors_learned_from_goes_with_a_run() -> None:
    """A grandchild on the sample has seen MNIST, too, unless its ancestors saw only the sample."""
    sample = mnist.load("sample")
    child = catalogue.create(TrainConfig(), "sample", parent=builtin.run(), taught_digits=3)
    grandchild = catalogue.create(TrainConfig(), "sample", parent=child, taught_digits=4)
    clean = catalogue.create(TrainConfig(), "sample")
    its_child = catalogue.create(TrainConfig(), "sample", parent=clean, taught_digits=5)
    family = [child, grandchild, clean, its_child]
    assert [run.seen for run in family] == [("mnist",), ("mnist",), (), ()]
    told = [answers.may_have_seen(run, sample) for run in (builtin.run(), *family)]
    assert told == [True, True, True, False, False]


def test_run_taught_before_this_was_recorded_has_seen_it_too() -> None:
    """Runs taught from the built-in network are recognized, though the store does not say so."""
    run = catalogue.create(TrainConfig(), "sample")
    catalogue.set_tags(run.id, {"taught_from": builtin.run().id, "state": State.FINISHED})
    catalogue.log(run.id, [("test_accuracy", 0.99, 1)])
    assert catalogue.get(run.id).seen == ("mnist",)
    assert catalogue.get(run.id).test_accuracy is None


def test_without_digits_nothing_starts(trained: Path) -> None:
    """The message says where to save digits, and no run is made."""
    before = len(catalogue.listed())
    with pytest.raises(RunError, match="Draw a digit on the Draw page and save it"):
        finetune.start(catalogue.find("cnn 1000"))
    assert len(catalogue.listed()) == before


def test_full_disk_leaves_no_run_that_waits(
    sample_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run fails at once with the reason, and its place in the queue is free."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    collection.keep(np.eye(28, dtype=np.float32), 7)
    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(StoreError, match="No space left on device"):
        finetune.start(builtin.run())
    [run] = catalogue.listed()
    assert run.state == State.FAILED and "No space left" in run.reason
    assert queue.owners() == []


@pytest.mark.parametrize(("count", "times"), [(1, 50), (49, 50), (100, 25), (1_000, 2), (5_000, 1)])
def test_few_digits_are_repeated_many_are_not(count: int, times: int) -> None:
    """My digits make up a fifth of the training images, if repeating each fifty times is enough."""
    digits = Collection(
        ("",) * count, np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8)
    )
    images, labels = finetune.repeated(digits)
    assert len(images) == len(labels) == count * times


def test_lesson_learns_slowly_and_holds_the_same_images_out() -> None:
    """The images that chose the parent's epoch are not learned by its child."""
    digits = mnist.load("sample")
    config = TrainConfig(epochs=9, learning_rate=0.01, seed=5, small_share=0.5)
    changed = finetune.settings(config)
    assert (changed.epochs, changed.learning_rate, changed.small_share) == (1, 0.001, 0)
    parent, child = (
        split_for(digits, one.validation_size, one.train_size, one.seed)
        for one in (config, changed)
    )
    np.testing.assert_array_equal(parent.validation, child.validation)
    assert set(child.train) <= set(parent.train)


def test_training_starts_from_given_weights() -> None:
    """After a few tiny steps, a network reads what it read before."""
    changes = {"learning_rate": 1e-6, "epochs": 1, "train_size": 300}
    config = builtin.run().config.changed(changes)
    events = loop.train(config, mnist.load("sample"), start=load(builtin.WEIGHTS))
    [epoch] = [event for event in events if isinstance(event, Epoch)]
    assert epoch.validation_accuracy > 0.98


def test_weights_of_another_network_are_refused(trained: Path) -> None:
    """The error says that they do not fit."""
    other = load(catalogue.find("mlp 500").folder / "best.pt")
    with pytest.raises(CheckpointError, match="do not fit"):
        list(loop.train(TrainConfig(), mnist.load("sample"), start=other))

"""Notes on labels: each person's own, and copies by which a run can be repeated."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.data.splits import split_for
from core.errors import DataError
from core.runs import actions, catalogue, label_notes
from core.runs.person import Person
from core.runs.run import State

ADA = Person("Ada", "a" * 32)


@pytest.fixture(scope="module")
def digits() -> Digits:
    """The embedded digits."""
    return mnist.load("sample")


def test_notes_are_each_persons_own_and_can_be_taken_back() -> None:
    """What Ada notes is hers; a verdict is replaced by the next, and by none."""
    label_notes.note(("train", 7), "wrong", "data", ADA)
    label_notes.note(("test", 7), "can't tell", "data", ADA)
    label_notes.note(("train", 7), "right", "data", ADA)
    assert label_notes.load("data", ADA.tag) == {
        ("train", 7): "right",
        ("test", 7): "can't tell",
    }
    assert label_notes.load("data") == {} and label_notes.load("other", ADA.tag) == {}
    label_notes.note(("train", 7), None, "data", ADA)
    assert label_notes.load("data", ADA.tag) == {("test", 7): "can't tell"}


def test_copy_stays_as_it_was(digits: Digits) -> None:
    """Notes after the copy change nothing in it; only training images noted wrong are left out."""
    for image, verdict in {
        ("train", 20): "wrong",
        ("train", 3): "wrong",
        ("train", 4): "right",
        ("test", 5): "wrong",
    }.items():
        label_notes.note(image, verdict, digits.checksum, ADA)
    checksum = label_notes.frozen(digits.checksum, ADA)
    label_notes.note(("train", 20), "right", digits.checksum, ADA)
    assert label_notes.left_out(checksum, digits).tolist() == [3, 20]
    assert label_notes.frozen(digits.checksum, ADA) != checksum
    content = (label_notes.folder() / f"{checksum}.json").read_bytes()
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == checksum


def test_copy_goes_with_the_last_run_that_names_it() -> None:
    """Deleting a run deletes its notes, unless another run names them or they are still noted."""
    label_notes.note(("train", 1), "wrong", "data", ADA)
    first = label_notes.frozen("data", ADA)
    label_notes.note(("train", 2), "wrong", "data", ADA)
    second = label_notes.frozen("data", ADA)
    runs = []
    for checksum in (first, first, second):
        run = catalogue.create(TrainConfig(notes=checksum), "sample", by=ADA)
        catalogue.set_tags(run.id, {"state": State.FAILED})
        runs.append(catalogue.get(run.id))

    def copies() -> set[str]:
        return {path.stem for path in label_notes.folder().glob("*.json")}

    for run, left in zip(runs, ({first, second}, {second}, {second}), strict=True):
        actions.delete(ADA, run)
        assert copies() == left


def test_validation_images_stay(digits: Digits) -> None:
    """An image noted wrong is left out of what is learned from, and of nothing else."""
    split = split_for(digits, 100, 0, seed=0)
    fewer = split.without(np.concatenate([split.train[:3], split.validation[:3]]))
    assert fewer.train.tolist() == split.train[3:].tolist()
    assert (fewer.validation == split.validation).all()


def damage(path: Path, what: str) -> None:
    """Remove, change, or replace a copy."""
    match what:
        case "missing":
            path.unlink()
        case "changed":
            path.write_bytes(path.read_bytes().replace(b"wrong", b"right"))


@pytest.mark.parametrize(("what", "message"), [("missing", "not on"), ("changed", "damaged")])
def test_missing_or_changed_copies_are_reported(digits: Digits, what: str, message: str) -> None:
    """A run never silently learns from other images than its settings say."""
    label_notes.note(("train", 3), "wrong", digits.checksum)
    checksum = label_notes.frozen(digits.checksum)
    damage(label_notes.folder() / f"{checksum}.json", what)
    with pytest.raises(DataError, match=message):
        label_notes.left_out(checksum, digits)


def test_notes_of_other_data_are_refused(digits: Digits) -> None:
    """The indices would mean other images."""
    label_notes.note(("train", 3), "wrong", "other")
    with pytest.raises(DataError, match="on other data"):
        label_notes.left_out(label_notes.frozen("other"), digits)


@pytest.mark.parametrize(
    "content", ["", "[]", '{"data": "x"}', '{"data": "data", "train": {"1": "maybe"}, "test": {}}']
)
def test_damaged_notes_are_reported(content: str) -> None:
    """A file that is not ours is named, not guessed at."""
    label_notes.note(("train", 3), "wrong", "data")
    next((label_notes.folder() / "people").rglob("*.json")).write_text(content)
    with pytest.raises(DataError, match="damaged"):
        label_notes.load("data")

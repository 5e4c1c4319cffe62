"""My digits of a visitor whose digits are only in memory."""

from pathlib import Path

import numpy as np
import pytest

from core.errors import InkError, RunError
from core.my_digits import collection, finetune, hands
from core.runs import builtin
from core.runs.person import OWNER, Person

DIGIT = np.eye(28, dtype=np.float32)


@pytest.fixture
def visitor() -> Person:
    """A visitor of a public demo."""
    return Person("visitor", "f" * 32, shelf={})


def test_shelf_is_as_good_as_a_folder(visitor: Person) -> None:
    """Digits are saved, counted, loaded, put into an archive, taken from one, and deleted."""
    names = {collection.keep(DIGIT, label, visitor) for label in (3, 8)}
    assert set(collection.names(visitor.digits)) == names
    found = collection.load(visitor.digits)
    assert sorted(found.labels) == [3, 8] and found.images.any(axis=(1, 2)).all()
    content = collection.archive(visitor.digits)
    for name in names:
        collection.forget(name, visitor)
    collection.forget("gone", visitor)
    assert collection.names(visitor.digits) == ()
    assert collection.restore(content, visitor) == 2
    mine, whose = hands.load([hands.own(visitor)])
    assert sorted(mine.labels) == [3, 8] and whose.tolist() == [0, 0]
    assert collection.restore(content, OWNER) == 2  # the archive is as good elsewhere


def test_nothing_is_written_to_the_disk(visitor: Person, own_runs: Path) -> None:
    """Whatever a visitor does with their digits, no file in the store's folder changes."""
    before = set(own_runs.rglob("*"))
    name = collection.keep(DIGIT, 3, visitor)
    collection.restore(collection.archive(visitor.digits), visitor)
    collection.load(visitor.digits)
    hands.seen_by(visitor)
    with pytest.raises(RunError, match="Networks cannot be taught in the public demo"):
        finetune.start(builtin.run(), visitor)
    collection.forget(name, visitor)
    assert set(own_runs.rglob("*")) == before


def test_shelf_is_small(visitor: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor's session holds fewer digits than a folder."""
    monkeypatch.setattr(collection, "MOST_IN_MEMORY", 1)
    collection.keep(DIGIT, 3, visitor)
    with pytest.raises(InkError, match="at most 1 digits"):
        collection.keep(DIGIT, 4, visitor)

"""A network fitted to one person: what it learns from twenty digits, and what it keeps."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from core.data import mnist
from core.errors import RunError
from core.my_digits import collection, fitted, fitting
from core.my_digits.collection import Collection
from core.reading.reader import Reader
from core.runs import builtin
from core.runs.person import OWNER, Person

ANN = Person("Ann", "a" * 32)


def odd_hand(start: int, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return `count` test digits of each kind from the sample; every 4 stands on its head."""
    digits = mnist.load("sample")
    places = [np.flatnonzero(digits.test_labels == digit)[start:][:count] for digit in range(10)]
    chosen = np.concatenate(places)
    images, labels = digits.test_images[chosen].copy(), digits.test_labels[chosen]
    images[labels == 4] = images[labels == 4][:, ::-1]
    return images, labels


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in network, fitted to the odd handwriting with two of each digit."""
    images, labels = odd_hand(0, fitted.NEEDED)
    digits = Collection(("",) * len(labels), images, labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITLAB_RUNS", str(tmp_path_factory.mktemp("fitted")))
        fitting.fit(builtin.run(), digits, mnist.load("sample").train_images, OWNER)
        return fitted.path_for(builtin.run(), OWNER)


def share_right(reader: Reader, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
    """Return the share of digits that are read right."""
    return float((reader.read(images.astype(np.float32) / 255).argmax(1) == labels).mean())


@pytest.mark.slow
def test_an_odd_form_is_read_after_twenty_digits(path: Path) -> None:
    """New upside-down fours are read; other digits are read as before."""
    images, labels = odd_hand(fitted.NEEDED, 20)
    own, new = Reader(builtin.run()), Reader(builtin.run(), path)
    four = labels == 4
    assert share_right(own, images[four], labels[four]) < 0.5
    assert share_right(new, images[four], labels[four]) > 0.85
    assert share_right(new, images[~four], labels[~four]) > 0.98


def test_the_last_layer_alone_changes(path: Path) -> None:
    """All layers before it are the run's."""
    own, new = Reader(builtin.run()).model.state_dict(), Reader(builtin.run(), path).model
    changed = [
        name for name, value in new.state_dict().items() if not torch.equal(value, own[name])
    ]
    assert changed == ["15.weight", "15.bias"]


def test_two_of_each_digit_are_needed() -> None:
    """A digit that is missing, or there only once, is named."""
    images, labels = odd_hand(0, 2)
    some = (labels != 7) & ~((labels == 3) & (np.cumsum(labels == 3) == 2))
    digits = Collection(("",) * int(some.sum()), images[some], labels[some])
    assert fitted.missing(labels.tolist()) == ""
    with pytest.raises(RunError, match="Save these too: 1 × 3, 2 × 7"):
        fitting.fit(builtin.run(), digits, images, OWNER)


def test_the_public_demo_learns_no_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo refuses it, because all its visitors together would need too much computing."""
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    images, labels = odd_hand(0, 2)
    with pytest.raises(RunError, match="demo cannot learn your handwriting"):
        fitting.fit(builtin.run(), Collection(("",) * 20, images, labels), images, ANN)


def test_each_person_has_their_own_and_may_undo_it() -> None:
    """Ann's network is not the owner's; undoing one leaves the other, and twice does no harm."""
    run = builtin.run()
    for person in (ANN, OWNER):
        fitted.path_for(run, person).parent.mkdir(exist_ok=True)
        fitted.path_for(run, person).touch()
    for _ in range(2):
        fitted.undo(run, ANN)
        there = [fitted.path_for(run, person).exists() for person in (ANN, OWNER)]
        assert there == [False, True]


def test_a_digit_kept_later_makes_it_older() -> None:
    """A digit saved later marks the fitted network as older, so that it can be fitted again."""
    collection.keep(np.ones((28, 28), np.float32), 1, ANN)
    path = fitted.path_for(builtin.run(), ANN)
    path.parent.mkdir()
    path.touch()
    assert not fitted.is_older(path, ANN)
    os.utime(path, (0, 0))
    assert fitted.is_older(path, ANN)

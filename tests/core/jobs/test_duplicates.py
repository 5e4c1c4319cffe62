"""The process that searches for near-duplicates: once for each data set; its death is noticed."""

import os
import time

import pytest

from core.data import mnist
from core.data.digits import Digits
from core.errors import RunError
from core.jobs import duplicates


@pytest.fixture
def digits(sample_only: None) -> Digits:
    """The sample."""
    return mnist.load("sample")


def test_process_keeps_what_it_finds(digits: Digits) -> None:
    """Started twice, it searches once; the result is there when it has ended, and is read again."""
    assert duplicates.result(digits) is None and duplicates.job(digits).share is None
    duplicates.start(digits)
    duplicates.start(digits)
    end = time.monotonic() + 120
    while duplicates.job(digits).share is not None and time.monotonic() < end:
        time.sleep(0.1)
    assert duplicates.job(digits).problem == ""
    found = duplicates.result(digits)
    assert found is not None and found.number.shape == (5_000, 2)


def test_damaged_result_counts_as_none(digits: Digits) -> None:
    """What cannot be read, or is of other data, is searched for again."""
    path = duplicates.job(digits).kept
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK\x03\x04 broken")
    assert duplicates.result(digits) is None


def test_dead_process_is_noticed(digits: Digits) -> None:
    """A search without a sign of life for a minute is over, and says so."""
    path = duplicates.job(digits).progress
    path.parent.mkdir(parents=True)
    path.write_text("0.4")
    assert duplicates.job(digits).share == 0.4 and duplicates.job(digits).problem == ""
    os.utime(path, (time.time() - 120,) * 2)
    assert duplicates.job(digits).share is None
    assert "Start it again" in duplicates.job(digits).problem


def test_demo_searches_the_sample_alone(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger cannot have 70,000 digits compared."""
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    other = Digits("mnist", *([digits.train_images[:1], digits.train_labels[:1]] * 2))
    with pytest.raises(RunError, match="sample alone"):
        duplicates.start(other)

"""The embedded store is read again only after somebody has written to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.config import TrainConfig
from core.runs import catalogue, store, unchanged

WAITING = "tags.state LIKE '%u%'"


def made(name: str) -> str:
    """Return the id of a new run."""
    return catalogue.create(TrainConfig(), "sample", "fast_cnn", name).id


def test_same_entries_until_somebody_writes(own_runs: Path) -> None:
    """What was read is returned again, until this or another program writes to the store."""
    first = made("first")
    once = unchanged.entries(WAITING)
    assert [entry.info.run_id for entry in once] == [first]
    assert unchanged.entries(WAITING) is once
    made("second")
    assert len(unchanged.entries(WAITING)) == 2
    with closing(sqlite3.connect(own_runs / "store.db")) as other, other:
        other.execute("UPDATE tags SET value = 'finished' WHERE key = 'state'")
    assert unchanged.entries(WAITING) == []
    assert len(unchanged.entries()) == 2


def test_stores_are_not_mixed_up(
    own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change of folder, and back, only the runs of the folder in use are listed."""
    made("first")
    assert len(unchanged.entries()) == 1
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "other"))
    assert unchanged.entries() == []
    monkeypatch.setenv("DIGITLAB_RUNS", str(own_runs))
    assert len(unchanged.entries()) == 1
    assert store.directory() == own_runs

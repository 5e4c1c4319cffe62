"""The journal survives what happens to processes and disks."""

from pathlib import Path
from typing import Any

import pytest

from core.errors import SweepError
from core.runs.person import OWNER
from core.sweeps import control, storage, sweep


def test_reading_makes_no_journal(own_runs: Path) -> None:
    """Listing sweeps leaves the folder unchanged."""
    assert sweep.listed() == []
    assert not (own_runs / "sweeps.journal").exists()


def test_half_a_line_is_cut_off(start: Any, own_runs: Path) -> None:
    """A writer killed in the middle of a line does not make the journal unreadable."""
    start()
    journal = own_runs / "sweeps.journal"
    with journal.open("a") as file:
        file.write('{"op_code":4,"wor')
    control.more("search", 2, OWNER)
    storage._open.cache_clear()  # as another process reads it
    assert sweep.get("search").plan.trials == 5
    assert '{"op_code":4,"wor\n' not in journal.read_text()


def test_other_databases_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite loses trials of parallel workers, so only PostgreSQL is accepted."""
    monkeypatch.setenv("DIGITLAB_SWEEPS", "sqlite:///sweeps.db")
    with pytest.raises(SweepError, match=r"postgresql\+psycopg2://"):
        sweep.listed()


def test_a_database_that_is_away_is_reported_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message names the host, and not the secret in the address."""
    monkeypatch.setenv("DIGITLAB_SWEEPS", "postgresql+psycopg2://ann:secret@localhost:1/sweeps")
    with pytest.raises(SweepError, match="//localhost:1/sweeps does not answer") as refused:
        sweep.listed()
    assert "secret" not in str(refused.value)

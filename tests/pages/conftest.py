"""What every test of a page gets."""

import pytest

from core import worker


@pytest.fixture(autouse=True)
def no_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is made ready for each visit of Train; tests/core and tests/browser have it."""
    monkeypatch.setattr(worker, "prepare", lambda: None)

"""What every test of a page gets."""

import pytest

from core.jobs import request


@pytest.fixture(autouse=True)
def no_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is made ready for each visit of Train; tests/core and tests/browser have it."""
    monkeypatch.setattr(request, "prepare", lambda: None)

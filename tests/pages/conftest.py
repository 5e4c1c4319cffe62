"""Fixtures for the tests of pages."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner

from core.jobs import request


@pytest.fixture(scope="session", autouse=True)
def packages_scanned_once() -> Iterator[None]:
    """Each AppTest searches every installed package for components: 0.2 s, always the same ones."""
    scan = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def no_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is made ready for each visit of Train; tests/core and tests/browser have it."""
    monkeypatch.setattr(request, "prepare", lambda: None)

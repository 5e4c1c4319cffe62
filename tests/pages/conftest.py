"""Fixtures for the tests of pages."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core.jobs import request


@pytest.fixture(scope="session", autouse=True)
def packages_scanned_once() -> Iterator[None]:
    """Each AppTest searches every installed package for components: 0.2 s, always the same ones.

    The canvas is first imported by a page here: imported by a test, its component is not found.
    """
    scan = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        assert not AppTest.from_string("import ui.components.canvas").run().exception
        yield


@pytest.fixture(autouse=True)
def no_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is made ready for each visit of Train; tests/core and tests/browser have it."""
    monkeypatch.setattr(request, "prepare", lambda **_: None)

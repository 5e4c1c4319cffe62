"""Data folders: one with files that look like MNIST's, one that is not there."""

from pathlib import Path

import pytest

from tests.core.data.idx import HEADERS, write


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DIGITLAB_DATA with four files that look like MNIST's and hold zeros; its raw folder."""
    folder = tmp_path / "data" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, header in HEADERS.items():
        write(folder / name, header)
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "data"))
    return folder


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DIGITLAB_DATA that does not exist."""
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "nowhere"))
    return tmp_path / "nowhere"

"""The download: a failure changes nothing."""

import os
from pathlib import Path

import pytest

from core.data import download, mnist
from core.errors import DataError


@pytest.mark.slow  # torchvision takes 2 s to import
def test_a_failed_download_leaves_everything_as_it_was(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a mirror it raises DataError, keeps earlier files and leaves no partial ones."""
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    before = {path: path.stat().st_mtime_ns for path in raw.parents[1].rglob("*")}
    with pytest.raises(DataError, match=r"could not be downloaded\. Check the network") as caught:
        download.fetch()
    assert "\n" not in str(caught.value)
    assert {path: path.stat().st_mtime_ns for path in raw.parents[1].rglob("*")} == before


@pytest.mark.slow
def test_a_wrong_archive_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose checksum does not match is not used."""
    import urllib.request
    from io import BytesIO

    class Answer(BytesIO):
        length = 100

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Answer(bytes(100)))
    with pytest.raises(DataError, match="could not be downloaded"):
        download.fetch()
    assert list(nowhere.iterdir()) == []
    assert mnist.source() == "sample"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only data folder is reported before anything is downloaded."""
    tmp_path.chmod(0o500)
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match="cannot be written: Permission denied"):
        download.fetch()


def test_progress_counts_what_has_arrived(nowhere: Path) -> None:
    """The progress grows with the downloaded files up to 1, and is 0 without a download."""
    assert download.progress() == 0
    with download.partial() as folder:
        raw = folder / "MNIST" / "raw"
        raw.mkdir(parents=True)
        with (raw / "train-images-idx3-ubyte.gz").open("wb") as file:
            file.truncate(download.DOWNLOAD_BYTES // 4)
        assert download.progress() == pytest.approx(0.25)
        with (raw / "train-images-idx3-ubyte").open("wb") as file:
            file.truncate(download.DOWNLOAD_BYTES)
        assert download.progress() == 1
    assert download.progress() == 0
    assert list(nowhere.iterdir()) == []


def test_a_data_folder_that_is_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message for a download into a path that is not a folder names the path."""
    (tmp_path / "data").write_text("")
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match="data cannot be written: File exists"):
        download.fetch()

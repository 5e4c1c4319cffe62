"""MNIST in the forms that people have: gzipped, renamed, Keras's, Kaggle's; and zip bombs."""

import gzip
import hashlib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data import mnist
from core.errors import DataError

Arrays = dict[str, NDArray[np.uint8]]


@pytest.fixture
def arrays(monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """Thirty and ten digits, whose checksums and shapes replace MNIST's during a test."""
    random = np.random.default_rng(0)
    made: Arrays = {}
    table = {}
    for key, (name, _, shape) in mnist.FILES.items():
        small = (30 if key.startswith("train") else 10, *shape[1:])
        made[key] = random.integers(0, 256 if "images" in key else 10, small, np.uint8)
        md5 = hashlib.md5(idx(made[key]), usedforsecurity=False).hexdigest()
        table[key] = (name, md5, small)
    monkeypatch.setattr(mnist, "FILES", table)
    return made


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty DIGITLAB_DATA."""
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path))
    return tmp_path


def idx(array: NDArray[np.uint8]) -> bytes:
    """The bytes of an IDX file."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def plain(folder: Path, arrays: Arrays) -> None:
    """Write the files as torchvision does."""
    for key, array in arrays.items():
        (folder / mnist.FILES[key][0]).write_bytes(idx(array))


def dotted(folder: Path, arrays: Arrays) -> None:
    """Write the files as some mirrors name them."""
    for key, array in arrays.items():
        (folder / mnist.FILES[key][0].replace("-idx", ".idx")).write_bytes(idx(array))


def gzipped(folder: Path, arrays: Arrays) -> None:
    """Write the files gzipped, as they are downloaded."""
    for key, array in arrays.items():
        (folder / f"{mnist.FILES[key][0]}.gz").write_bytes(gzip.compress(idx(array)))


def keras(folder: Path, arrays: Arrays) -> None:
    """Write Keras's archive, with its names."""
    names = {"train_images": "x_train", "train_labels": "y_train"}
    names |= {"test_images": "x_test", "test_labels": "y_test"}
    np.savez(folder / "mnist.npz", **{names[key]: array for key, array in arrays.items()})


def kaggle(folder: Path, arrays: Arrays, header: bool = True) -> None:
    """Write Kaggle's tables: a label and 784 pixels a row."""
    for part in ("train", "test"):
        images = arrays[f"{part}_images"]
        rows = np.column_stack([arrays[f"{part}_labels"], images.reshape(len(images), -1)])
        lines = [",".join(map(str, row)) for row in rows.tolist()]
        names = ["label", *(f"{row}x{column}" for row in range(1, 29) for column in range(1, 29))]
        first = [",".join(names)] if header else []
        (folder / f"mnist_{part}.csv").write_text("\n".join(first + lines) + "\n")


def headless(folder: Path, arrays: Arrays) -> None:
    """Write Kaggle's tables without names in the first row."""
    kaggle(folder, arrays, header=False)


FORMS = (plain, dotted, gzipped, keras, kaggle, headless)


@pytest.mark.parametrize("place", ["MNIST/raw", "MNIST", "raw", "."])
@pytest.mark.parametrize("write", FORMS)
def test_every_form_is_read_wherever_it_lies(
    data: Path, arrays: Arrays, write: Callable[[Path, Arrays], None], place: str
) -> None:
    """Each form gives the same digits."""
    assert mnist.source() == "sample"
    (data / place).mkdir(parents=True, exist_ok=True)
    write(data / place, arrays)
    assert mnist.source() == "mnist"
    digits = mnist.load()
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(digits, key), array)


@pytest.mark.parametrize("write", FORMS)
def test_other_digits_of_the_same_form_are_refused(
    data: Path, arrays: Arrays, write: Callable[[Path, Arrays], None]
) -> None:
    """Files with one other pixel are refused, and not replaced by the sample."""
    arrays["test_images"][3, 3, 3] ^= 1
    write(data, arrays)
    assert mnist.source() == "mnist"
    with pytest.raises(DataError, match="are not MNIST: the checksum does not match"):
        mnist.load()


@pytest.mark.parametrize("write", FORMS)
def test_damaged_files_are_named(
    data: Path, arrays: Arrays, write: Callable[[Path, Arrays], None]
) -> None:
    """Half a file, an empty one and one of other bytes are each named in the message."""
    write(data, arrays)
    for path in sorted(data.iterdir()):
        whole = path.read_bytes()
        for content in (whole[: len(whole) // 2], b"", b"no such thing", b"9" * 3_000_000):
            path.write_bytes(content)
            with pytest.raises(DataError, match=path.name):
                mnist.load()
        path.write_bytes(whole)
    mnist.load()


@pytest.mark.parametrize("write", [kaggle, gzipped])
def test_a_missing_file_is_named(
    data: Path, arrays: Arrays, write: Callable[[Path, Arrays], None]
) -> None:
    """The remaining files are not used without the missing one."""
    write(data, arrays)
    next(iter(sorted(data.iterdir()))).unlink()
    assert mnist.source() == "mnist"
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte|mnist_test\.csv"):
        mnist.load()


def test_bombs_fill_no_memory(data: Path, arrays: Arrays) -> None:
    """Of 64 MB of zeros under MNIST's names, no more is unpacked than MNIST's files have."""
    zeros = np.zeros((2**16, 2**10), np.uint8)
    gzipped(data, arrays)
    (data / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(zeros))
    for _ in range(2):
        tracemalloc.start()
        with pytest.raises(DataError):
            mnist.load()
        assert tracemalloc.get_traced_memory()[1] < 2**20
        tracemalloc.stop()
        for path in data.iterdir():
            path.unlink()
        np.savez_compressed(data / "mnist.npz", x_train=zeros)


def test_pickled_code_in_an_archive_is_not_run(data: Path, arrays: Arrays) -> None:
    """An array of objects needs pickle, and is refused."""
    odd = np.array([{}], object)
    np.savez(data / "mnist.npz", x_train=odd, y_train=odd, x_test=odd, y_test=odd)
    with pytest.raises(DataError, match=r"mnist\.npz is not Keras's"):
        mnist.load()


def test_competitions_table_is_named_and_not_used(data: Path) -> None:
    """The message says why Kaggle's train.csv is not used; another train.csv is ignored."""
    (data / "train.csv").write_text("id,price\n1,2\n")
    assert mnist.source() == "sample"
    names = ",".join(f"pixel{number}" for number in range(784))
    (data / "train.csv").write_text(f"label,{names}\n")
    assert mnist.source() == "mnist"
    with pytest.raises(
        DataError, match="Digit Recognizer, which has labels for only 42,000 images"
    ):
        mnist.load()


def test_looking_is_cheap(data: Path, arrays: Arrays) -> None:
    """`source` opens no file of MNIST, because every page calls it."""
    for name in ("mnist.npz", "mnist_train.csv", "train-images-idx3-ubyte"):
        (data / name).symlink_to("/dev/zero")
    assert mnist.source() == "mnist"

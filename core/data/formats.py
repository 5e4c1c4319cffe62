"""Read MNIST's files in the common formats. All sizes are bounded.

They may lie in `DIGITLAB_DATA` itself, in `MNIST` or in `MNIST/raw`: the four IDX files under
their own names or with a dot, gzipped or not; Keras's `mnist.npz`; the two CSV files of Kaggle.
"""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

ARCHIVE = "mnist.npz"
TABLES = {"train": "mnist_train.csv", "test": "mnist_test.csv"}
COMPETITION = "train.csv"  # of Kaggle's "Digit Recognizer", which has only 42,000 images
_MEMBERS = {
    "train_images": "x_train",
    "train_labels": "y_train",
    "test_images": "x_test",
    "test_labels": "y_test",
}
_REPLACE = "Remove the file and download MNIST again."


def folders(directory: Path) -> tuple[Path, ...]:
    """Return the folders to search for MNIST's files, torchvision's first."""
    return directory / "MNIST" / "raw", directory / "MNIST", directory / "raw", directory


def spellings(name: str) -> tuple[str, ...]:
    """Return the names of an IDX file in use: its own, the one with a dot, and each gzipped."""
    dotted = name.replace("-idx", ".idx")
    return name, dotted, f"{name}.gz", f"{dotted}.gz"


def is_competition(path: Path) -> bool:
    """Return whether a file is the training table of Kaggle's Digit Recognizer."""
    try:
        with path.open("rb") as file:
            return file.read(13) == b"label,pixel0,"
    except OSError:
        return False


def unpacked(path: Path, length: int) -> bytes:
    """Return at most `length` + 1 bytes of a file, unpacked if its name ends in `.gz`.

    Raises OSError, or DataError for a damaged gzip file.
    """
    with path.open("rb") as file:
        if path.suffix != ".gz":
            return file.read(length + 1)
        packed = file.read(length + 2**16)  # incompressible data grow by less
    try:
        return zlib.decompressobj(wbits=31).decompress(packed, length + 1)
    except zlib.error as error:
        raise DataError(f"{path} is damaged: it is not a gzip file. {_REPLACE}") from error


def from_archive(path: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, NDArray[np.uint8]]:
    """Return the four arrays of Keras's `mnist.npz`, in the shapes given. Raises DataError."""
    arrays = {}
    try:
        if path.stat().st_size > sum(map(math.prod, shapes.values())) + 2**20:
            raise ValueError("too large")
        with zipfile.ZipFile(path) as file:
            for key, shape in shapes.items():
                member = file.getinfo(f"{_MEMBERS[key]}.npy")
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(
                        "another compression, which cannot be unpacked in bounded pieces"
                    )
                with file.open(member) as stream:
                    arrays[key] = _array(stream, shape)
    except (
        Exception
    ) as error:  # zipfile, zlib and NumPy raise all kinds of errors for damaged files
        raise DataError(
            f"{path} is not Keras's MNIST: it needs x_train, y_train, x_test and y_test as bytes. "
            f"{_REPLACE}"
        ) from error
    return arrays


def _array(stream: IO[bytes], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the uint8 array of an `.npy` file. Raises ValueError for another shape or type."""
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("another version")
    if np.lib.format.read_array_header_1_0(stream) != (shape, False, np.dtype(np.uint8)):
        raise ValueError("another shape")
    content = stream.read(math.prod(shape))
    return np.frombuffer(content, np.uint8).reshape(shape)


def from_tables(
    paths: dict[str, Path], shapes: dict[str, tuple[int, ...]]
) -> dict[str, NDArray[np.uint8]]:
    """Return the four arrays of two CSV files, a label and 784 pixels a row. Raises DataError."""
    arrays = {}
    for part, path in paths.items():
        shape = shapes[f"{part}_images"]
        count, pixels = shape[0], math.prod(shape[1:])
        try:
            if path.stat().st_size > (count + 1) * (pixels + 1) * 9:  # the header has longer fields
                raise ValueError("too large")
            with path.open("rb") as file:
                skip = 0 if file.read(1).isdigit() else 1
            import pandas as pd  # takes 0.3 s

            options = {"header": None, "skiprows": skip, "nrows": count + 1, "dtype": np.uint8}
            table = pd.read_csv(path, **options).to_numpy()
            if table.shape != (count, pixels + 1):
                raise ValueError("another shape")
        except Exception as error:  # pandas raises all kinds of errors for damaged files
            raise DataError(
                f"{path} is not MNIST: it needs {count:,} rows of a label and {pixels} pixels "
                f"from 0 to 255. {_REPLACE}"
            ) from error
        arrays[f"{part}_images"] = np.ascontiguousarray(table[:, 1:]).reshape(shape)
        arrays[f"{part}_labels"] = np.ascontiguousarray(table[:, 0])
    return arrays

"""Files in MNIST's format that hold zeros."""

from pathlib import Path

import numpy as np

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

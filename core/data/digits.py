"""A data set of digits as uint8 arrays, and the names of the sources."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

SOURCES = {"mnist": "MNIST, 70,000 digits", "sample": "Sample, 5,000 digits of MNIST"}
TRAINING_IMAGES = {"mnist": 60_000, "sample": 4_000}  # by source, including those for validation
TEST_IMAGES = {"mnist": 10_000, "sample": 1_000}  # by source


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
        """MD5 of images and labels; equal checksums mean equal data."""
        digest = hashlib.md5(usedforsecurity=False)
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

"""Near-duplicates: for each image the most similar training image and the most similar test image.

Two digits are compared as shapes: moved so that their centers of mass coincide, blurred a little,
and scaled to the same energy. Without the move, a copy that is shifted by one pixel is as far away
as another writer's digit. The search is exact, over all pairs, in the 64 directions in which the
shapes vary most.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.digits import Digits

ALIKE = 0.1  # 95 of 100 altered copies differ by less than this, and other digits seldom do
BLUR = 0.7  # the standard deviation, in pixels
COMPONENTS = 64  # they keep 95 % of the variance
_ROWS, _COLUMNS = 256, 1_024  # images compared at once: a megabyte, which stays in the cache
_CHUNK = 4_000  # images that are in memory as floats at a time
_THREADS = 2


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest other image of each image, training images first, then test images.

    `number (N, 2)`: the number of the nearest training image and of the nearest test image, where
    test images are numbered after training images; `difference (N, 2)`: how different each is: 0
    for a copy, about 1 for images that have nothing in common.
    """

    number: NDArray[np.int32]
    difference: NDArray[np.float32]


def shapes(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return `(N, 784)` shapes of `(N, 28, 28)` images: centered, blurred, each of length 1."""
    parts = [_shapes(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    return np.concatenate(parts)


def _shapes(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    from scipy import fft

    pixels = np.divide(images, 255, dtype=np.float32)
    side = images.shape[1]
    places = np.arange(side, dtype=np.float32)
    ink = np.maximum(pixels.sum(axis=(1, 2)), 1e-6)
    middle = (side - 1) / 2
    down = middle - (pixels.sum(axis=2) @ places) / ink
    right = middle - (pixels.sum(axis=1) @ places) / ink
    # In the Fourier transform, a shift by any fraction of a pixel rotates the phases, and a blur is
    # a factor (the shift and convolution theorems).
    rows, columns = fft.fftfreq(side).astype(np.float32), fft.rfftfreq(side).astype(np.float32)
    phase = down[:, None, None] * rows[:, None] + right[:, None, None] * columns
    power = np.exp(-2 * (np.pi * BLUR) ** 2 * (rows[:, None] ** 2 + columns**2))
    waves = fft.rfft2(pixels) * (np.exp(-2j * np.pi * phase).astype(np.complex64) * power)
    moved = fft.irfft2(waves, (side, side)).reshape(len(images), -1).astype(np.float32)
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(length, 1e-6), np.float32)


def search(digits: Digits) -> Iterator[float | Neighbors]:
    """Find each image's nearest others; yield the share done, in [0, 1], and at last the result."""
    images = np.concatenate([digits.train_images, digits.test_images])
    every = shapes(images)
    yield 0.1
    every -= every.mean(axis=0)
    _, directions = np.linalg.eigh(every.T @ every)  # in ascending order
    points = np.ascontiguousarray(every @ directions[:, -COMPONENTS:])
    yield 0.15
    first_test, count = len(digits.train_images), len(images)
    number = np.empty((count, 2), np.int32)
    find = _finder(points)
    starts = range(0, count, _ROWS)
    with ThreadPoolExecutor(_THREADS) as pool:
        for column, (begin, end) in enumerate(((0, first_test), (first_test, count))):
            found = pool.map(lambda start, b=begin, e=end: find(start, b, e), starts)
            for done, (start, nearest) in enumerate(zip(starts, found, strict=True)):
                number[start : start + _ROWS, column] = nearest
                share = (column * first_test + (end - begin) * done / len(starts)) / count
                yield 0.15 + 0.85 * share
    gaps = [np.linalg.norm(points - points[number[:, column]], axis=1) for column in (0, 1)]
    yield Neighbors(number, np.stack(gaps, axis=1).astype(np.float32))


def _finder(points: NDArray[np.float32]) -> Callable[[int, int, int], NDArray[np.int64]]:
    """Return a function that finds the nearest points of some rows among points `begin` to `end`.

    |x - y|² is smallest where x · y - |y|² / 2 is largest, which is one matrix product.
    """
    halves = (points**2).sum(axis=1, keepdims=True) / 2
    here = np.concatenate([points, np.ones_like(halves)], axis=1)
    there = np.ascontiguousarray(np.concatenate([points, -halves], axis=1).T)

    def find(start: int, begin: int, end: int) -> NDArray[np.int64]:
        rows = here[start : start + _ROWS]
        lines = np.arange(len(rows))
        best, nearest = np.full(len(rows), -np.inf, np.float32), np.zeros(len(rows), np.int64)
        for left in range(begin, end, _COLUMNS):
            right = min(left + _COLUMNS, end)
            close = rows @ there[:, left:right]
            own = start + lines  # an image is not its own neighbor
            inside = (own >= left) & (own < right)
            close[lines[inside], own[inside] - left] = -np.inf
            which = close.argmax(axis=1)
            values = close[lines, which]
            better = values > best
            best[better], nearest[better] = values[better], left + which[better]
        return nearest

    return find


PLACES = {"between": "Test and training", "train": "Within training", "test": "Within test"}


def pairs(
    found: Neighbors, first_test: int, place: str, most: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return pairs of images that differ by `most` at most, `(P, 2)`, and their differences.

    `place` is one of PLACES. The most similar pairs come first, and each pair once: a test image
    and its nearest training image, or two images of one split of which one is the other's nearest.
    """
    count = len(found.number)
    rows = np.arange(first_test) if place == "train" else np.arange(first_test, count)
    column = 1 if place == "test" else 0
    gaps = found.difference[rows, column]
    close = gaps <= most
    couples = np.stack([rows[close], found.number[rows[close], column].astype(np.int64)], axis=1)
    gaps = gaps[close]
    if place != "between":
        couples, first = np.unique(np.sort(couples, axis=1), axis=0, return_index=True)
        gaps = gaps[first]
    order = np.argsort(gaps, kind="stable")
    return couples[order], gaps[order]

"""Arrange a sample of a data set by t-SNE, in a separate process.

python -m core.jobs.maps SOURCE SPLIT
"""

import sys

import numpy as np

from core.data import maps, mnist, selection
from core.data.digits import Digits
from core.data.maps import Points
from core.jobs.computation import Computation


def job(digits: Digits, split: str) -> Computation:
    """Return the map of a split, `train` or `test`, as a computation, to start and follow it."""
    return Computation("maps", "core.jobs.maps", "map", digits, split)


def result(digits: Digits, split: str) -> Points | None:
    """Return the coordinates `(N, 2)` of `maps.sample`; None if there are none yet."""
    found, numbers = job(digits, split).arrays() or {}, maps.sample(digits, split)
    points = found.get("points")
    if points is None or points.dtype != np.float64 or points.shape != (len(numbers), 2):
        return None
    same = np.array_equal(found.get("numbers", numbers[:0]), numbers)  # False: an older version's
    places = points.astype(np.float64)
    return places if same and np.isfinite(places).all() else None


def arrange(digits: Digits, split: str) -> None:
    """Arrange a split in this process, and save the coordinates. Raises StoreError."""
    numbers, one = maps.sample(digits, split), job(digits, split)
    images, _ = selection.take(digits, numbers)
    one.tell("0.02")
    points = maps.tsne(images, lambda share: one.tell(f"{share:.3f}"))
    one.keep({"numbers": numbers, "points": points})


def main(source: str, split: str) -> int:
    """Arrange a split, unless another process is doing so; return 0, or 2 on a UserError."""
    digits = mnist.load(source)
    return job(digits, split).alone(lambda: arrange(digits, split))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

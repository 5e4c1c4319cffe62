"""Arrange a sample of a data set by t-SNE, in a process of its own.

python -m core.jobs.maps SOURCE SPLIT
"""

import sys

import numpy as np

from core.data import maps, mnist, selection
from core.data.digits import Digits
from core.data.maps import Points
from core.jobs.once import Once


def job(digits: Digits, split: str) -> Once:
    """Return the arranging of a split, `train` or `test`, to start and follow it."""
    return Once("maps", "core.jobs.maps", "map", digits, split)


def result(digits: Digits, split: str) -> Points | None:
    """Return the coordinates `(N, 2)` of `maps.sample`; None if there are none yet."""
    found = (job(digits, split).arrays() or {}).get("points")
    if found is None or found.dtype != np.float64 or not np.isfinite(found.astype(float)).all():
        return None
    whole = found.shape == (len(maps.sample(digits, split)), 2)
    return found.astype(np.float64) if whole else None


def arrange(digits: Digits, split: str) -> None:
    """Arrange a split in this process, and keep where its images are. Raises StoreError."""
    images, _ = selection.take(digits, maps.sample(digits, split))
    one = job(digits, split)
    one.tell("0.02")
    one.keep({"points": maps.tsne(images, lambda share: one.tell(f"{share:.3f}"))})


def main(source: str, split: str) -> int:
    """Arrange a split, unless another process does; return 0, or 2 on a UserError."""
    digits = mnist.load(source)
    return job(digits, split).alone(lambda: arrange(digits, split))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

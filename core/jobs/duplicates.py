"""Search a data set for near-duplicates, in a separate process.

python -m core.jobs.duplicates SOURCE
"""

import sys

import numpy as np

from core.data import duplicates, mnist
from core.data.digits import Digits
from core.data.duplicates import Neighbors
from core.errors import RunError
from core.jobs import limits
from core.jobs.computation import Computation


def job(digits: Digits) -> Computation:
    """Return the search as a computation, to start and follow it."""
    return Computation("duplicates", "core.jobs.duplicates", "near-duplicates", digits)


def start(digits: Digits) -> None:
    """Start the search, unless it is running. Raises RunError in a public demo, and StoreError."""
    if limits.is_demo() and digits.source != "sample":
        raise RunError("The public demo searches the sample alone. Use Digit Lab on your machine.")
    job(digits).start()


def result(digits: Digits) -> Neighbors | None:
    """Return the result; None if the data were not searched, or the file is damaged."""
    found = job(digits).arrays()
    if found is None or not {"number", "difference"} <= found.keys():
        return None
    number, difference = found["number"], found["difference"]
    count = len(digits.train_images) + len(digits.test_images)
    whole = number.shape == difference.shape == (count, 2)
    if not whole or number.dtype != np.int32 or not 0 <= number.min() <= number.max() < count:
        return None
    return Neighbors(number.astype(np.int32), difference.astype(np.float32))


def search(digits: Digits) -> None:
    """Search in this process and save the result. Raises StoreError."""
    for step in duplicates.search(digits):
        if isinstance(step, Neighbors):
            job(digits).keep({"number": step.number, "difference": step.difference})
        else:
            job(digits).tell(f"{step:.3f}")


def main(source: str) -> int:
    """Search a source, unless another process is doing so; return 0, or 2 on a UserError."""
    from threadpoolctl import threadpool_limits

    digits = mnist.load(source)
    with threadpool_limits(1):  # the search has two threads, and each computes its own products
        return job(digits).alone(lambda: search(digits))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""How much of an accuracy is due to test images with a near-duplicate in the training set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.metrics import wilson
from core.evaluation.significance import difference_of_shares


@dataclass(frozen=True)
class Owed:
    """The accuracies on test images with and without a near-duplicate among the training images.

    `*_count` is the number of images, `*_accuracy` is in [0, 1], and `*_interval` is its 95 %
    Wilson interval. `owed` is the accuracy on all images less that on images without a
    near-duplicate, and `owed_interval` its 95 % interval.
    """

    with_count: int
    with_accuracy: float
    with_interval: tuple[float, float]
    without_count: int
    without_accuracy: float
    without_interval: tuple[float, float]
    owed: float
    owed_interval: tuple[float, float]


def owed(right: NDArray[np.bool_], has_duplicate: NDArray[np.bool_]) -> Owed | None:
    """Return what near-duplicates add to an accuracy; None if all images have one, or none has.

    Both are `(N,)`: whether each answer was right, and whether the image has a near-duplicate. If a
    share s of the images has one, the accuracy on all images less that on the images without is s
    times the difference between the two groups.
    """
    groups = [right[has_duplicate], right[~has_duplicate]]
    (those, others) = [(int(group.sum()), len(group)) for group in groups]
    if not those[1] or not others[1]:
        return None
    share = those[1] / len(right)
    low, high = difference_of_shares(those, others)
    accuracies = those[0] / those[1], others[0] / others[1]
    return Owed(
        those[1],
        accuracies[0],
        wilson(*those),
        others[1],
        accuracies[1],
        wilson(*others),
        share * (accuracies[0] - accuracies[1]),
        (share * low, share * high),
    )

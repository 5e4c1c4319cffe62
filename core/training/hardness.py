"""How hard each training image is to learn, from the training's own predictions.

Toneva et al., An Empirical Study of Example Forgetting during Deep Neural Network Learning, 2019:
an image is forgotten when it is read wrong after it was read right. The training step reads each
image once an epoch, augmented as it is, so that this costs no reading of its own.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import CheckpointError
from core.training.checkpoint import is_like

NEVER_LEARNED_FROM = -1


class Hardness:
    """Counts, for each training image, how late and how lastingly it is learned.

    `counts (3, N) int16`, of all N training images: how often it was forgotten, in how many epochs
    it was read wrong, and the last epoch in which it was, 0 if never; NEVER_LEARNED_FROM in all
    three for images that the run does not learn from.
    """

    def __init__(self, total: int, indices: NDArray[np.int64]) -> None:
        self.indices = torch.from_numpy(indices)
        self.counts = torch.full((3, total), NEVER_LEARNED_FROM, dtype=torch.int16)
        self.counts[:, self.indices] = 0
        self._before = torch.zeros(total, dtype=torch.bool)

    def add(self, order: Tensor, right: Tensor, epoch: int) -> None:
        """Take in an epoch: `order (M,)`, places among the images learned from, and `right (M,)`.

        Places beyond those, which are of extra images, do not count.
        """
        order = order[: len(right)]  # a last image alone is no batch
        own = order < len(self.indices)
        images, right = self.indices[order[own]], right[own]
        forgotten, wrong, last = self.counts
        forgotten[images] += (self._before[images] & ~right).to(torch.int16)
        wrong[images] += (~right).to(torch.int16)
        last[images[~right]] = epoch
        self._before[images] = right

    def restore(self, counts: object, epoch: int) -> None:
        """Go back to the counts after an epoch. Raises CheckpointError if they do not fit."""
        if not is_like(counts, self.counts) or not isinstance(counts, Tensor):
            raise CheckpointError(
                "The checkpoint cannot be resumed: what it says of hardness is of other images. "
                "Start a new run."
            )
        self.counts = counts.clone()
        self._before = (counts[2] >= 0) & (counts[2] != epoch)


def ranks(counts: NDArray[np.int16], epochs: int) -> NDArray[np.float64]:
    """Return `(N,)` how hard each image was, from Hardness's counts; NaN where it was not learned.

    The more often forgotten, the harder; one that was never read right counts as forgotten in every
    epoch. Of equals, the one that was wrong until later is harder, then the one more often wrong.
    """
    forgotten, wrong, last = counts.astype(np.float64)
    forgotten = np.where(wrong == epochs, epochs, forgotten)
    span = epochs + 1.0
    score = (forgotten * span + last) * span + wrong
    return np.where(counts[0] < 0, np.nan, score)

"""How hard each training image is to learn, from the training's own predictions.

Toneva et al., An Empirical Study of Example Forgetting during Deep Neural Network Learning, 2019:
an image is forgotten when it is read wrong after it was read right. The training step reads each
augmented image once per epoch anyway, so this costs no extra reading.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import CheckpointError
from core.training.checkpoint import is_like

NEVER_LEARNED_FROM = -1


class Hardness:
    """Counts how late each training image is learned, and how often it is forgotten.

    `counts (3, N) int16` has three rows for all N training images: how often each was forgotten, in
    how many epochs it was read wrong, and the last such epoch, 0 if never. All three are
    NEVER_LEARNED_FROM for images that the run does not learn from.
    """

    def __init__(self, total: int, indices: NDArray[np.int64]) -> None:
        self.indices = torch.from_numpy(indices)
        self.counts = torch.full((3, total), NEVER_LEARNED_FROM, dtype=torch.int16)
        self.counts[:, self.indices] = 0
        self._before = torch.zeros(total, dtype=torch.bool)

    def add(self, order: Tensor, right: Tensor, epoch: int) -> None:
        """Add an epoch: `order (M,)`, indices into the images learned from, and `right (M,)`.

        Higher indices, which belong to extra images, do not count.
        """
        order = order[: len(right)]  # a single last image is not a batch
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
                "The checkpoint cannot be resumed: the hardness in it is for other images. "
                "Start a new run."
            )
        self.counts = counts.clone()
        self._before = (counts[2] >= 0) & (counts[2] != epoch)


def ranks(counts: NDArray[np.int16], epochs: int) -> NDArray[np.float64]:
    """Return each image's hardness, `(N,)`, from `Hardness.counts`; NaN if not learned from.

    An image is the harder, the more often it was forgotten; one that was never read right counts as
    forgotten in every epoch. Among equals, the one that was wrong until later is harder, and then
    the one that was wrong more often.
    """
    forgotten, wrong, last = counts.astype(np.float64)
    forgotten = np.where(wrong == epochs, epochs, forgotten)
    span = epochs + 1.0
    score = (forgotten * span + last) * span + wrong
    return np.where(counts[0] < 0, np.nan, score)

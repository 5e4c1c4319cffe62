"""Which labels are suspicious, from out-of-fold probabilities. No torch, and no run store.

The ranking is cleanlab's (Northcutt et al., Confident Learning, 2021). A label is the more
suspicious, the lower the probability that networks give it which never saw the image.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
METHOD = "self_confidence"


@dataclass(frozen=True, eq=False)
class Suspects:
    """All images, the most suspicious label first.

    `numbers (N,)` are the images' numbers, `labels (N,) uint8` their labels and `answers (N,)
    uint8` the answers of networks that never saw them. `sureness (N,)` and `belief (N,)` are the
    probabilities, in [0, 1], that these networks give their answer and the label.
    """

    numbers: NDArray[np.int64]
    labels: NDArray[np.uint8]
    answers: NDArray[np.uint8]
    sureness: NDArray[np.float32]
    belief: NDArray[np.float32]

    def among(self, wanted: NDArray[np.bool_]) -> "Suspects":
        """Return those whose number is True in `wanted (N,)`, in the same order."""
        kept = wanted[self.numbers]
        return Suspects(*(getattr(self, field.name)[kept] for field in fields(self)))


def quality(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], method: str = METHOD
) -> NDArray[np.float64]:
    """Return each label's quality, `(N,)`, from 0, suspicious, to 1.

    `probabilities (N, 10)` must come from networks that did not learn from these images;
    `method` is one of METHODS, which are cleanlab's names.
    """
    from cleanlab.rank import get_label_quality_scores  # takes a second

    # Normalized again in 64 bits: cleanlab refuses rows whose sum is not 1.
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    return np.asarray(get_label_quality_scores(labels.astype(int), exact, method=method))


def suspects(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], qualities: NDArray[np.float64]
) -> Suspects:
    """Return all images, the lowest of their `qualities (N,)` first.

    `probabilities (N, 10)` are out-of-fold, for images with these `labels (N,)`.
    """
    order = np.argsort(qualities, kind="stable")
    answers = probabilities.argmax(axis=1).astype(np.uint8)
    rows = np.arange(len(labels))
    sureness, belief = probabilities[rows, answers], probabilities[rows, labels]
    return Suspects(order, labels[order], answers[order], sureness[order], belief[order])

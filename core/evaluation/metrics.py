"""Accuracy, loss, confusion matrix and metrics by class, from probabilities and labels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # loading pandas takes 0.4 s, and training does not need it
    import pandas as pd


DIGITS = range(10)
Z_95 = 1.959964  # the normal quantile of a two-sided 95 % interval
_LEAST = 1e-12  # lower bound of a probability in a logarithm, so that the loss stays finite


def score(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[float, float]:
    """Return the mean cross-entropy (nats) and the accuracy in [0, 1] of `(N, 10)` answers."""
    true = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(true, _LEAST)).mean(dtype=np.float64)
    return float(loss), float((probabilities.argmax(1) == labels).mean())


def confusion(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the `(10, 10)` confusion matrix: rows are true digits, columns are answers."""
    pairs = labels.astype(np.int64) * 10 + probabilities.argmax(1)
    return np.bincount(pairs, minlength=100).reshape(10, 10)


def wilson(right: int, count: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion, 95 % by default (Wilson, 1927)."""
    share, spread = right / count, z * z / count
    center = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return float(max(0.0, center - half)), float(min(1.0, center + half))


def per_class(matrix: NDArray[np.int64]) -> "pd.DataFrame":
    """Return precision, recall, F1 (each in [0, 1], 0 where undefined) and support by digit."""
    import pandas as pd

    right, answered, support = np.diag(matrix), matrix.sum(0), matrix.sum(1)
    precision = right / np.maximum(answered, 1)
    recall = right / np.maximum(support, 1)
    f1 = 2 * right / np.maximum(answered + support, 1)
    return pd.DataFrame(
        {
            "digit": list(DIGITS),
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "support": support,
        }
    )


def confused_pairs(matrix: NDArray[np.int64]) -> "pd.DataFrame":
    """Return the mistakes, most frequent first: `truth`, `answer`, `count`, `share`.

    `share` is the share of all images of the true digit, in [0, 1].
    """
    import pandas as pd

    truth, answer = np.nonzero(matrix * (1 - np.eye(10, dtype=np.int64)))
    counts = matrix[truth, answer]
    table = pd.DataFrame(
        {
            "truth": truth,
            "answer": answer,
            "count": counts,
            "share": counts / matrix.sum(1)[truth],
        }
    )
    return table.sort_values(["count", "truth", "answer"], ascending=[False, True, True])


def answers(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], indices: NDArray[np.int64]
) -> "pd.DataFrame":
    """Return a row for each image: its `index`, `truth`, `answer`, `confidence`, `p_truth`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "index": indices,
            "truth": labels.astype(int),
            "answer": probabilities.argmax(1),
            "confidence": probabilities.max(1),
            "p_truth": probabilities[np.arange(len(labels)), labels],
        }
    )


@dataclass(frozen=True)
class Report:
    """The metrics of a network on one split.

    `interval` is the accuracy's 95 % Wilson interval, `macro_f1` the mean F1 of the digits that
    occur among the labels or the answers.
    """

    count: int
    accuracy: float
    interval: tuple[float, float]
    loss: float
    macro_f1: float
    matrix: NDArray[np.int64]
    classes: "pd.DataFrame"


def report(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> Report:
    """Return the metrics of `(N, 10)` probabilities on one split."""
    loss, accuracy = score(probabilities, labels)
    matrix = confusion(probabilities, labels)
    classes = per_class(matrix)
    interval = wilson(int(np.trace(matrix)), len(labels))
    macro_f1 = float(classes["f1"][matrix.sum(0) + matrix.sum(1) > 0].mean())
    return Report(len(labels), accuracy, interval, loss, macro_f1, matrix, classes)

"""Calibration: probabilities that match accuracies, and the threshold of a sure answer.

One number, the temperature, calibrates a network's probabilities. It is fitted on the validation
set (Guo et al., "On Calibration of Modern Neural Networks", 2017). Calibration changes the
confidence but never the answer, and does not use the test set.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.evaluation.metrics import score

if TYPE_CHECKING:  # loading pandas takes 0.4 s, and training does not need it
    import pandas as pd


BINS = 15  # as in Guo et al.
SURE_MISTAKES = 0.002  # share of wrong answers among those called sure, on validation
_LEAST = 1e-12  # lower bound of a probability in a logarithm
_HOTTEST = 20.0  # largest temperature tried


@dataclass(frozen=True)
class Calibration:
    """A run's temperature and its threshold of a sure answer.

    `temperature`: above 1, the network was overconfident; below 1, underconfident. `sure_from`: the
    calibrated confidence in [0, 1] from which an answer counts as sure; None if no threshold would
    make sure answers right often enough, and then no answer is sure.
    """

    temperature: float = 1.0
    sure_from: float | None = None

    def metrics(self) -> dict[str, float]:
        """Return the numbers under their names among a run's metrics."""
        threshold = {} if self.sure_from is None else {"reading_sure_from": self.sure_from}
        return {"temperature": self.temperature, **threshold}

    def apply(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `(N, 10)` probabilities scaled by the temperature; their order is unchanged."""
        logits = np.log(np.maximum(probabilities, _LEAST)) / self.temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        calibrated: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return calibrated.astype(np.float32)

    def are_sure(self, calibrated: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return which of `(N, 10)` calibrated answers are sure, `(N,)`.

        They must be of the same kind as those on which `sure_from` was fitted.
        """
        if self.sure_from is None:
            return np.zeros(len(calibrated), bool)
        return np.asarray(calibrated.max(axis=1) >= self.sure_from)


def fit(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> Calibration:
    """Return the calibration that fits a validation set's `(N, 10)` answers best.

    The temperature minimizes the mean cross-entropy; `threshold` gives the other number.
    """
    from scipy.optimize import minimize_scalar  # takes 0.3 s

    def loss(logarithm: float) -> float:
        return score(Calibration(float(np.exp(logarithm))).apply(probabilities), labels)[0]

    limit = np.log(_HOTTEST)
    found = minimize_scalar(loss, bounds=(-limit, limit), method="bounded")
    temperature = float(np.exp(found.x))
    calibrated = Calibration(temperature).apply(probabilities)
    return Calibration(temperature, threshold(calibrated, labels))


def threshold(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], mistakes: float = SURE_MISTAKES
) -> float | None:
    """Return the lowest confidence from which at most a share `mistakes` of answers are wrong.

    `probabilities` are `(N, 10)`, calibrated. One mistake is added to the count, because a few
    answers without a mistake prove little. Returns None if there is no such confidence.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(probabilities.argmax(axis=1)[order] != labels[order])
    right_enough = (wrong + 1) / np.arange(1, len(order) + 1) <= mistakes
    last = np.flatnonzero(right_enough)
    return float(confidence[order][last[-1]]) if len(last) else None


def reliability(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> "pd.DataFrame":
    """Return a row for each non-empty bin of confidence.

    `low` and `high` are the bin's bounds, `confidence` and `accuracy` the means of its answers in
    [0, 1], and `count` their number.
    """
    import pandas as pd

    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)  # a tenth of the time of pandas' groupby
    [there] = counts.nonzero()
    count, low = counts[there], there / BINS
    return pd.DataFrame(
        {
            "confidence": np.bincount(bins, confidence, BINS)[there] / count,
            "accuracy": np.bincount(bins, right, BINS)[there] / count,
            "count": count,
            "low": low,
            "high": low + 1 / BINS,
        }
    )


def expected_error(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the expected calibration error in [0, 1].

    It is the mean difference between confidence and accuracy over the bins, weighted by their
    counts (Naeini et al., 2015).
    """
    return mean_gap(reliability(probabilities, labels))


def mean_gap(rows: "pd.DataFrame") -> float:
    """Return the expected calibration error, as `expected_error`, from rows of `reliability`."""
    gaps = (rows["confidence"] - rows["accuracy"]).abs()
    return float((gaps * rows["count"]).sum() / rows["count"].sum())


def candidates(probabilities: NDArray[np.float32], most: int = 3) -> list[int]:
    """Return the two or three most likely digits, likeliest first, from `(10,)` probabilities.

    There are two if their probabilities sum to at least 0.9.
    """
    order = [int(digit) for digit in np.argsort(-probabilities, kind="stable")[:most]]
    return order[:2] if probabilities[order[:2]].sum() >= 0.9 else order

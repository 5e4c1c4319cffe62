"""The ranking of labels: which look wrong, and by how much."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.evaluation.labels import METHODS, quality, suspects

LABELS = np.array([3, 3, 7, 9, 4], np.uint8)


@pytest.fixture
def probabilities() -> NDArray[np.float32]:
    """Images 1 and 4 are clearly another digit; 3 may be either of two; 0 and 2 are as labeled."""
    answers, sureness = np.array([3, 8, 7, 9, 9]), np.array([0.95, 0.99, 0.9, 0.55, 0.9])
    found = np.repeat((1 - sureness[:, None]) / 9, 10, axis=1)
    found[np.arange(5), answers] = sureness
    return found.astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_wrong_labels_have_the_lowest_quality(
    probabilities: NDArray[np.float32], method: str
) -> None:
    """Each method puts both wrong labels last, the surer one at the very end."""
    assert np.argsort(quality(probabilities, LABELS, method))[:2].tolist() == [1, 4]


def test_self_confidence_is_the_labels_probability(probabilities: NDArray[np.float32]) -> None:
    """cleanlab's simplest measure is the same computed by hand."""
    own = probabilities[np.arange(5), LABELS]
    assert quality(probabilities, LABELS, "self_confidence") == pytest.approx(own, rel=1e-5)


def test_suspects_tell_of_each_image_in_the_order_of_suspicion(
    probabilities: NDArray[np.float32],
) -> None:
    """Numbers, labels, answers and probabilities stay together, also in a subset."""
    found = suspects(probabilities, LABELS, quality(probabilities, LABELS))
    assert found.numbers[:2].tolist() == [1, 4]
    assert found.labels[:2].tolist() == [3, 4] and found.answers[:2].tolist() == [8, 9]
    assert found.sureness[0] == pytest.approx(0.99)
    assert found.belief[0] == pytest.approx(0.01 / 9)
    part = found.among(np.array([True, False, False, False, True]))
    assert part.numbers.tolist() == [4, 0] and part.answers.tolist() == [9, 3]

"""Calibration: confidence that matches accuracy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.evaluation import calibration
from core.evaluation.calibration import Calibration


def answers(
    count: int, sharpness: float, seed: int = 0, spread: float = 3
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return probabilities whose logits are `sharpness` times the honest ones, and labels."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, spread, (count, 10))
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([random.choice(10, p=row) for row in honest])
    powers = np.exp(sharpness * logits)
    told = powers / powers.sum(1, keepdims=True)
    return told.astype(np.float32), labels.astype(np.uint8)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_undoes_what_made_the_network_too_sure_or_too_modest(sharpness: float) -> None:
    """Logits three times too large need a temperature of three."""
    probabilities, labels = answers(5_000, sharpness)
    fitted = calibration.fit(probabilities, labels)
    assert fitted.temperature == pytest.approx(sharpness, rel=0.06)
    again, truth = answers(5_000, sharpness, seed=1)
    calibrated = fitted.apply(again)
    assert calibration.expected_error(calibrated, truth) < 0.02
    if sharpness != 1:
        assert calibration.expected_error(again, truth) > 0.1
    np.testing.assert_array_equal(calibrated.argmax(1), again.argmax(1))
    np.testing.assert_allclose(calibrated.sum(1), 1, rtol=1e-5)


def test_certainty_stays_finite() -> None:
    """Probabilities of exactly 0 and 1 are calibrated without infinite logarithms."""
    certain = np.eye(10, dtype=np.float32)
    assert np.isfinite(Calibration(0.5).apply(certain)).all()
    assert np.isfinite(calibration.fit(certain, np.arange(10, dtype=np.uint8)).temperature)


def test_expected_error_of_a_small_table() -> None:
    """Two bins of two answers: 0.9 sure and all right, 0.6 sure and half right."""
    rows = np.full((4, 10), 0.0, np.float32)
    rows[[0, 1, 2, 3], [1, 1, 1, 1]] = [0.9, 0.9, 0.6, 0.6]
    rows[:, 0] = 1 - rows[:, 1]
    labels = np.array([1, 1, 1, 0], np.uint8)
    assert calibration.expected_error(rows, labels) == pytest.approx((0.1 + 0.1) / 2, abs=1e-6)
    table = calibration.reliability(rows, labels)
    assert table["count"].tolist() == [2, 2] and table["accuracy"].tolist() == [0.5, 1.0]
    assert ((table["low"] <= table["confidence"]) & (table["confidence"] <= table["high"])).all()


def test_sure_answers_are_wrong_as_rarely_as_promised() -> None:
    """Above a threshold fitted on one set, similar sets have about as few mistakes."""
    probabilities, labels = answers(20_000, 2.0, spread=8)
    fitted = calibration.fit(probabilities, labels)
    again, truth = answers(20_000, 2.0, seed=1, spread=8)
    calibrated = fitted.apply(again)
    sure = fitted.are_sure(calibrated)
    wrong = calibrated.argmax(1) != truth
    assert sure.mean() > 0.2
    assert wrong[sure].mean() < 2 * calibration.SURE_MISTAKES < wrong.mean()


def test_without_enough_evidence_nothing_is_sure() -> None:
    """A hundred right answers do not prove that two in a thousand or fewer are wrong."""
    probabilities = np.tile(np.eye(10, dtype=np.float32) * 0.9 + 0.01, (10, 1))
    labels = np.tile(np.arange(10, dtype=np.uint8), 10)
    fitted = calibration.fit(probabilities, labels)
    assert fitted.sure_from is None
    assert not fitted.are_sure(np.eye(10, dtype=np.float32)).any()  # not even certainty


def test_nothing_is_sure_by_default() -> None:
    """Without a fitted threshold, no answer is sure."""
    assert not Calibration().are_sure(np.eye(10, dtype=np.float32)).any()


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({4: 0.55, 9: 0.40}, [4, 9]),
        ({4: 0.45, 9: 0.30, 7: 0.2}, [4, 9, 7]),
        ({3: 0.2, 5: 0.15, 8: 0.15}, [3, 5, 8]),
    ],
)
def test_candidates_are_what_is_left_open(shares: dict[int, float], expected: list[int]) -> None:
    """There are two candidates if they have nine tenths of the probability, else three."""
    row = np.full(10, (1 - sum(shares.values())) / (10 - len(shares)), np.float32)
    for digit, share in shares.items():
        row[digit] = share
    assert calibration.candidates(row) == expected

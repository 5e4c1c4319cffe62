"""How a network reads people's digits, how confidently, and whether it takes them for digits."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from core.data import mnist
from core.evaluation import calibration
from core.evaluation.calibration import Calibration
from core.ink.normalization import Digit
from core.reading.answer import doubts, in_words
from core.reading.reader import Reader, Reading, calibrated_reader, fit_calibration
from core.runs import answers, builtin, catalogue
from core.training.inference import probabilities


def test_reader_is_less_sure_of_non_digits_and_reads_digits_as_well() -> None:
    """Averaging over slant and thickness keeps digits sure, and makes scribbles less sure."""
    digits, reader = mnist.load("sample"), Reader(builtin.run())
    images = digits.test_images[:300].astype(np.float32) / 255
    labels = digits.test_labels[:300]
    sideways = np.ascontiguousarray(np.rot90(images[np.isin(labels, (2, 3, 4, 5, 7))], axes=(1, 2)))

    def once(pictures: np.ndarray) -> np.ndarray:
        raw = probabilities(reader.model, pictures, reader.config)
        return reader.calibration.apply(raw)

    answers = reader.read(images)
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-5)
    assert (answers.argmax(1) == labels).mean() >= 0.99
    assert answers.max(1).mean() > once(images).max(1).mean() - 0.02
    assert reader.read(sideways).max(1).mean() < once(sideways).max(1).mean() - 0.01


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in twenty sure answers may be wrong: the small runs here reach no stricter threshold."""
    strict = calibration.threshold
    monkeypatch.setattr(
        calibration, "threshold", lambda answers, labels: strict(answers, labels, 0.05)
    )


def test_threshold_is_fitted_on_answers_made_as_those_it_judges(
    trained: Path, lenient: None
) -> None:
    """Readings are means of five; from their own threshold on, few enough of them are wrong."""
    run, digits = catalogue.find("mlp 500"), mnist.load("sample")
    fitted = fit_calibration(run, digits)
    validation = answers.of(run, "validation", digits)
    reader = Reader(run)
    reader.calibration = Calibration(fitted.temperature)
    readings = reader.read(validation.images / np.float32(255))
    assert fitted.sure_from == calibration.threshold(readings, validation.labels)
    single = calibration.threshold(fitted.apply(validation.probabilities), validation.labels)
    assert fitted.sure_from and single and abs(fitted.sure_from - single) > 0.01


def test_run_without_a_threshold_of_its_own_gets_one(
    trained: Path, lenient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of earlier versions have none; if their data are missing, nothing is sure."""
    run = catalogue.find("mlp 500")
    old = dataclasses.replace(run, calibration=Calibration(run.calibration.temperature))
    expected = fit_calibration(run, mnist.load("sample"))
    assert expected.sure_from and calibrated_reader(old).calibration == expected
    images = mnist.load("sample").test_images[:20] / np.float32(255)
    assert any(one.sure for one in calibrated_reader(old).readings(images))
    monkeypatch.setenv("DIGITLAB_DATA", str(trained / "nothing here"))
    elsewhere = calibrated_reader(dataclasses.replace(old, data="mnist"))
    assert not any(one.sure for one in elsewhere.readings(images))


def test_one_digit_is_left_open_only_when_sure() -> None:
    """Below the threshold two or three candidates are named, and the likeliest comes first."""
    images = mnist.load("sample").test_images[:40] / np.float32(255)
    reader = Reader(builtin.run())
    for sure_from, counts in ((0.0, {1}), (1.1, {2, 3}), (None, {2, 3})):
        reader.calibration = Calibration(1.0, sure_from)
        read = reader.readings(images)
        assert {len(one.candidates) for one in read} == counts
        assert all(one.digit == one.probabilities.argmax() for one in read)
        clear = [one.looks_like_a_digit and one.clearly_drawn for one in read]
        assert [one.sure for one in read] == [counts == {1} and is_clear for is_clear in clear]


def test_without_a_threshold_the_answer_says_so() -> None:
    """Until a run is calibrated, an answer says that its reliability is unknown."""
    digits = mnist.load("sample")
    image = digits.test_images[digits.test_labels == 1][:1] / np.float32(255)
    reader = Reader(builtin.run())
    reader.calibration = Calibration(1.0)
    found = [Digit(image[0], (0, 0, 1, 1))]
    [reading] = reader.readings(image)
    assert not reading.sure
    assert re.fullmatch(
        r"Probably a 1 \(.* %\)\. How reliable this network is, is not known\.",
        in_words(found, [reading]),
    )


def test_what_does_not_look_like_a_digit_is_never_sure() -> None:
    """However high the confidence, a pair of digits over each other is not a digit."""
    digits = mnist.load("sample")
    eights, ones = (digits.test_images[digits.test_labels == label][:30] for label in (8, 4))
    reader = Reader(builtin.run())
    reader.calibration = Calibration(1.0, 0.0)
    read = reader.readings(np.maximum(eights, np.rot90(ones, axes=(1, 2))) / np.float32(255))
    assert not any(one.sure or one.clearly_drawn for one in read if not one.looks_like_a_digit)
    assert sum(one.looks_like_a_digit for one in read) < 10


def test_digit_drawn_in_an_unusual_way_is_not_sure() -> None:
    """It keeps its answer, with one candidate; the words say why it is not sure, right or wrong."""
    probabilities = np.eye(10, dtype=np.float32)[3]
    usual = Reading(probabilities, (3,), looks_like_a_digit=True)
    unusual = dataclasses.replace(usual, clearly_drawn=False)
    open_ = dataclasses.replace(unusual, candidates=(3, 8))
    found = [Digit(np.zeros((28, 28), np.float32), (0, 0, 1, 1))]
    assert usual.sure and not unusual.sure and unusual.digit == 3
    assert in_words(found, [unusual]) == "Not sure: 3 (drawn in an unusual way)."
    assert in_words(found, [unusual], 5) == "Not sure: 3 (drawn in an unusual way). It is a 5."
    assert in_words(found, [open_]) == "Not sure: 3 or 8."
    assert doubts([usual, unusual]) == "Not sure of digit 2: 3 (drawn in an unusual way)."

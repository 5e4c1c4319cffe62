"""Small changes that change an answer."""

import numpy as np
import pytest
import torch

from core.data import mnist
from core.reading import fooling
from core.reading.reader import Reader
from core.runs import builtin
from core.training.batches import normalize


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The built-in network."""
    return Reader(builtin.run())


def test_a_digit_turns_into_another_answer_within_bounds(reader: Reader) -> None:
    """No pixel moves further than the steps allow, and the flip is the first step that gives it."""
    digits = mnist.load("sample")
    image, truth = digits.test_images[0].astype(np.float32) / 255, int(digits.test_labels[0])
    target = (truth + 2) % 10
    found = fooling.fool(reader, image, target)
    np.testing.assert_array_equal(found.images[0], image)
    assert found.images.min() >= 0 and found.images.max() <= 1
    far = np.abs(found.images - image).max(axis=(1, 2))
    assert (far <= np.arange(fooling.STEPS + 1) * fooling.STEP + 1e-5).all() and far[-1] > 0.1
    with torch.inference_mode():
        again = reader.model(normalize(torch.tensor(found.images), reader.config)).softmax(1)
    expected = reader.calibration.apply(again.numpy())
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    answers = again.argmax(1).tolist()
    assert answers[0] == truth
    assert found.flip == answers.index(target)


def test_larger_steps_fool_more_digits(reader: Reader) -> None:
    """Unchanged, nearly all of 200 test digits are read right; at 0.3 far fewer."""
    digits = mnist.load("sample")
    shares = fooling.still_right(reader, digits.test_images[:200], digits.test_labels[:200])
    assert list(shares) == [0.0, *fooling.EPSILONS]
    assert shares[0.0] > 0.97
    assert shares[0.3] < shares[0.1] < shares[0.0]

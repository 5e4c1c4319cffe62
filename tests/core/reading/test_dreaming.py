"""The picture that a network finds most like a digit."""

import numpy as np
import pytest
import torch

from core.data import mnist
from core.reading import dreaming
from core.reading.dreaming import Prior
from core.reading.reader import Reader
from core.runs import builtin
from core.training.batches import normalize


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The built-in network."""
    return Reader(builtin.run())


@pytest.fixture(scope="module")
def prior() -> Prior:
    """What the embedded digits have in common."""
    return dreaming.prior_of(mnist.load("sample").train_images)


@pytest.mark.slow
def test_a_dream_goes_from_noise_to_what_reads_as_the_digit(reader: Reader, prior: Prior) -> None:
    """The first moment is noise that is not read as a 3; the last is clearly read as one."""
    moments = list(dreaming.dream(reader, 3, 0, prior))
    assert len(moments) == dreaming.MOMENTS
    steps = [moment.step for moment in moments]
    assert steps[0] == 0 and steps == sorted(set(steps))
    assert moments[0].probabilities[3] < 0.5 < 0.9 < moments[-1].probabilities[3]
    for moment in moments:
        assert moment.image.shape == (28, 28)
        assert moment.image.min() >= 0 and moment.image.max() <= 1
        with torch.inference_mode():
            softmax = reader.model(normalize(torch.tensor(moment.image[None]), reader.config))
        expected = reader.calibration.apply(softmax.softmax(1).numpy())[0]
        np.testing.assert_allclose(moment.probabilities, expected, atol=1e-6)
    # Noise differs from pixel to pixel; a stroke goes on.
    unlike = [np.abs(np.diff(moment.image)).sum() / moment.image.sum() for moment in moments]
    assert unlike[-1] < unlike[0]


def test_a_seed_gives_the_same_dream(reader: Reader, prior: Prior) -> None:
    """The first moment depends only on the seed: another seed gives other noise."""
    first, again, other = (next(dreaming.dream(reader, 5, seed, prior)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, again.image)
    assert np.abs(first.image - other.image).max() > 0.1


def test_axes_are_those_of_the_digits(prior: Prior) -> None:
    """Mixtures by the standard normal have the digits' own mean and covariance."""
    pixels = mnist.load("sample").train_images[:5_000].reshape(-1, 784).astype(np.float32) / 255
    np.testing.assert_allclose(prior.mean, pixels.mean(axis=0), atol=1e-5)
    covariance = (prior.axes @ prior.axes.T).numpy()
    np.testing.assert_allclose(covariance, np.cov(pixels, rowvar=False), atol=1e-4)

"""The picture that a network finds most like a digit."""

import numpy as np
import pytest
import torch

from core.reading import dreaming
from core.reading.reader import Reader
from core.runs import builtin
from core.training.batches import normalize


@pytest.fixture(scope="module")
def reader() -> Reader:
    """The network that is always there."""
    return Reader(builtin.run())


@pytest.mark.slow
def test_a_dream_goes_from_noise_to_what_reads_as_the_digit(reader: Reader) -> None:
    """The first moment is noise that is not read as a 3; the last is clearly read as one."""
    moments = list(dreaming.dream(reader, 3, seed=0))
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


def test_a_seed_gives_the_same_dream(reader: Reader) -> None:
    """The first moment comes of the seed alone: another gives other noise."""
    first, again, other = (next(dreaming.dream(reader, 5, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, again.image)
    assert np.abs(first.image - other.image).max() > 0.1

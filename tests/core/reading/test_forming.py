"""What a network's kept moments look like."""

import numpy as np
import pytest
import torch

from core.config import TrainConfig
from core.data import mnist
from core.errors import CheckpointError
from core.evaluation.metrics import confusion
from core.reading import forming
from core.reading.forming import Formation
from core.training import networks
from core.training.batches import normalize
from core.training.forming import Moment, put
from core.training.loop import train

SMALL = TrainConfig(
    network="fast_cnn", epochs=2, train_size=1_000, validation_size=100, batch_size=50
)


@pytest.fixture(scope="module")
def kept() -> list[Moment]:
    """The moments of a short training."""
    return [event for event in train(SMALL, mnist.load("sample")) if isinstance(event, Moment)]


@pytest.fixture(scope="module")
def found(kept: list[Moment]) -> Formation:
    """How these moments read 60 test digits."""
    digits = mnist.load("sample")
    return forming.of(kept, SMALL, digits.test_images[:60], digits.test_labels[:60])


def test_each_moment_is_what_torch_computes_with_its_weights(
    kept: list[Moment], found: Formation
) -> None:
    """Kernels, maps, confusion, and the features on the last moment's principal axes."""
    digits = mnist.load("sample")
    signal = normalize(torch.tensor(digits.test_images[:60]), SMALL)
    assert found.maps is not None
    for place in (0, len(kept) - 1):
        model = networks.build(SMALL).eval()
        put(kept[place], model)
        with torch.inference_mode():
            maps = model[:3](signal[:1])[0].numpy()
            answers = model(signal).softmax(1).numpy()
            hidden = model[:-1](signal).numpy()
        np.testing.assert_array_equal(found.kernels[place], model[0].weight.detach()[:, 0])
        np.testing.assert_allclose(found.maps[place], maps, atol=1e-5)
        expected = confusion(answers, digits.test_labels[:60])
        np.testing.assert_array_equal(found.confusion[place], expected)
    centered = hidden - hidden.mean(axis=0)
    spread = np.linalg.svd(centered, compute_uv=False)[:2]  # of the last moment
    lengths = np.linalg.norm(found.points[-1], axis=0)
    assert lengths[0] / lengths[1] == pytest.approx(spread[0] / spread[1], rel=1e-3)
    assert np.abs(found.points[-1]).max() == pytest.approx(1)


def test_it_goes_from_noise_to_order(found: Formation) -> None:
    """From guessing to reading most digits; neighbors on the map become alike."""
    assert found.steps[0] == 0 and found.steps[-1] == 40
    assert found.accuracies[0] < 0.4 < 0.7 < found.accuracies[-1]


def test_a_moment_without_finite_weights_is_left_out(kept: list[Moment]) -> None:
    """A run that diverged is shown until then; without any other moment, it says so."""
    digits = mnist.load("sample")
    last = kept[-1]
    broken = Moment(99, {name: value * torch.nan for name, value in last.weights.items()})
    images, labels = digits.test_images[:20], digits.test_labels[:20]
    assert forming.of([kept[0], broken], SMALL, images, labels).steps == (0,)
    with pytest.raises(CheckpointError, match="never finite"):
        forming.of([broken], SMALL, images, labels)


def test_a_network_without_convolutions_has_kernels_of_a_digits_size() -> None:
    """Its kernels are 28 × 28, and it has no maps."""
    config = TrainConfig(network="mlp", epochs=1, train_size=200, validation_size=50)
    digits = mnist.load("sample")
    kept = [event for event in train(config, digits) if isinstance(event, Moment)]
    found = forming.of(kept[:1], config, digits.test_images[:20], digits.test_labels[:20])
    assert found.kernels.shape == (1, 12, 28, 28) and found.maps is None

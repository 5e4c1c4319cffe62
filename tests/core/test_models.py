"""The networks: sizes, shapes, logits."""

import pytest
import torch

from core.config import NETWORKS, TrainConfig
from core.models import build, layers, parameter_count


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ("simple_cnn", 421_834),
        ("digit_cnn", 1_007_590),
        ("mlp", 267_410),
        ("pytorch_example", 1_199_882),
        ("lenet5", 61_706),
        ("fast_cnn", 61_306),
        ("quick_cnn", 33_914),
        ("strong_cnn", 261_610),
    ],
)
def test_parameter_counts(network: str, parameters: int) -> None:
    """Each network learns as many numbers as its source's."""
    assert parameter_count(build(TrainConfig(network=network))) == parameters


@pytest.mark.parametrize(("width", "parameters"), [(8, 11_202), (24, 68_146)])
def test_width_of_quick_cnn(width: int, parameters: int) -> None:
    """Every layer's channels follow it."""
    config = TrainConfig(network="quick_cnn", width=width)
    assert parameter_count(build(config)) == parameters


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_return_logits(network: str) -> None:
    """The ten outputs are unbounded scores, not probabilities."""
    torch.manual_seed(0)
    model = build(TrainConfig(network=network)).eval()
    logits = model(torch.randn(3, 1, 28, 28))
    assert logits.shape == (3, 10)
    assert logits.min() < 0


@pytest.mark.parametrize("network", NETWORKS)
def test_layers_account_for_every_parameter(network: str) -> None:
    """The table of layers ends in ten outputs, adds up, and leaves the network as it was."""
    model = build(TrainConfig(network=network)).train()
    rows = layers(model)
    assert rows[-1].output == (10,)
    assert sum(row.parameters for row in rows) == parameter_count(model)
    assert model.training


def test_dropout_of_pytorchs_example_is_halved_after_the_convolutions() -> None:
    """Its two dropouts are 0.25 and 0.5, from the one setting."""
    model = build(TrainConfig(network="pytorch_example", dropout=0.5))
    rates = [layer.p for layer in model if isinstance(layer, torch.nn.Dropout)]
    assert rates == [0.25, 0.5]

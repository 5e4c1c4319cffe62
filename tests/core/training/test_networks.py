"""The networks: sizes, shapes, logits."""

import pytest
import torch

from benchmarks import reference
from core.config import NETWORKS, TrainConfig
from core.training.networks import Dropout, build, layers, parameter_count


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


@pytest.mark.parametrize("network", reference.NETWORKS)
def test_networks_compute_what_their_tutorials_do(network: str) -> None:
    """With the same weights, the layers' order and ours give the same logits and gradients."""
    torch.manual_seed(0)
    theirs, ours = reference.NETWORKS[network](), build(TrainConfig(network=network, dropout=0))
    weights = dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True))
    ours.load_state_dict(weights)
    for layer in theirs:
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0.0
    images = torch.randn(8, 1, 28, 28)
    expected, logits = theirs(images), ours(images)
    torch.testing.assert_close(logits, expected)
    expected.square().sum().backward()
    logits.square().sum().backward()
    for one, other in zip(theirs.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.9])
def test_dropout_silences_its_share_and_keeps_the_mean(rate: float) -> None:
    """Dropout sets single values to 0 and scales the others up; reading changes nothing."""
    torch.manual_seed(0)
    layer, signal = Dropout(rate), torch.ones(100, 1_001)
    dropped = layer(signal)
    silenced = dropped == 0
    assert silenced.float().mean() == pytest.approx(rate, abs=0.005)
    assert dropped.mean() == pytest.approx(1, abs=0.02)
    assert dropped[~silenced].unique().numel() == 1
    # The eight bytes of a random word are as good as each other.
    bytes_of_words = silenced.flatten()[:100_096].view(-1, 8).float()
    assert bytes_of_words.mean(0).tolist() == pytest.approx([rate] * 8, abs=0.02)
    assert not torch.equal(layer(signal) == 0, silenced)
    assert torch.equal(layer.eval()(signal), signal)

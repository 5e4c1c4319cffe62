"""Every layer's output and the sums behind it are torch's own."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from core.config import NETWORKS, TrainConfig
from core.data import mnist
from core.evaluation.calibration import Calibration
from core.reading import layers
from core.training import networks
from core.training.batches import normalize


def reader_of(network: str) -> Any:
    """Return an untrained network, with statistics that normalize and biases that count."""
    torch.manual_seed(3)
    config = TrainConfig(network=network)
    model = networks.build(config)
    with torch.no_grad():
        for module in model:
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2)
                module.bias.uniform_(-0.5, 0.5)
    return SimpleNamespace(model=model.eval(), config=config, calibration=Calibration(1.5))


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A test digit."""
    return mnist.load("sample").test_images[5].astype(np.float32) / 255


@pytest.mark.parametrize("network", NETWORKS)
def test_every_layer_is_shown_as_torch_computes_it(network: str, image: np.ndarray) -> None:
    """In the network's order, with its shapes; the last output is the ten logits."""
    reader = reader_of(network)
    found = layers.outputs(reader, image)
    assert [one.position for one in found] == list(range(len(reader.model)))
    assert [one.values.shape for one in found] == [
        row.output for row in networks.layers(reader.model)
    ]
    assert len({one.name for one in found}) == len(found)
    signal = normalize(torch.tensor(image[None]), reader.config)
    with torch.inference_mode():
        for layer, one in zip(reader.model, found, strict=True):
            signal = layer(signal)
            np.testing.assert_allclose(one.values, signal[0].numpy(), atol=1e-5)
        softmax = reader.model(normalize(torch.tensor(image[None]), reader.config)).softmax(1)
    expected = reader.calibration.apply(softmax.numpy())[0]
    np.testing.assert_allclose(layers.answer(reader, found), expected, atol=1e-6)


@pytest.mark.parametrize("network", sorted(set(NETWORKS) - {"mlp"}))
def test_patch_times_kernel_and_bias_add_up_to_the_value(network: str, image: np.ndarray) -> None:
    """At corners, edges and in the middle of every convolution; what follows is on the maps."""
    reader = reader_of(network)
    found = layers.outputs(reader, image)
    for one in found:
        if not isinstance(reader.model[one.position], nn.Conv2d):
            continue
        channels, height, width = one.values.shape
        for row, column in {(0, 0), (height // 2, width // 3), (height - 1, width - 1)}:
            parts = layers.sum_behind(reader, image, found, one.position, channels - 1, row, column)
            assert parts.value == one.values[channels - 1, row, column]
            assert parts.products.sum() + parts.bias == pytest.approx(parts.value, abs=1e-4)
            for name, value in parts.after:
                [step] = [other for other in found if other.name == name]
                assert value in step.values[channels - 1]


def test_what_follows_a_value_is_computed_from_it(image: np.ndarray) -> None:
    """Without pooling between, normalization and ReLU of the value itself; else of its window."""
    reader = reader_of("fast_cnn")
    found = layers.outputs(reader, image)
    parts = layers.sum_behind(reader, image, found, 0, 4, 7, 6)
    norm = reader.model[1]
    scale = norm.weight[4] / torch.sqrt(norm.running_var[4] + norm.eps)
    normed = ((parts.value - norm.running_mean[4]) * scale + norm.bias[4]).item()
    assert dict(parts.after) == pytest.approx(
        {"Batch normalization 1": normed, "ReLU 1": max(normed, 0)}, abs=1e-5
    )
    reader = reader_of("digit_cnn")
    found = layers.outputs(reader, image)
    parts = layers.sum_behind(reader, image, found, 0, 2, 13, 8)
    largest = float(found[0].values[2, 12:14, 8:10].max())
    assert dict(parts.after) == pytest.approx({"Max pooling": largest, "ReLU 1": max(largest, 0)})


def test_only_a_convolution_has_a_sum_of_a_patch(image: np.ndarray) -> None:
    """Of another layer it is refused."""
    reader = reader_of("fast_cnn")
    with pytest.raises(ValueError, match="not a convolution"):
        layers.sum_behind(reader, image, layers.outputs(reader, image), 1, 0, 0, 0)


def test_a_channel_switched_off_is_zero_and_changes_the_answer(image: np.ndarray) -> None:
    """The layers before it stay, those after it get zeros, and the next look is whole again."""
    reader = reader_of("simple_cnn")
    whole = layers.outputs(reader, image)
    without = layers.outputs(reader, image, off={(3, 1), (3, 2)})
    np.testing.assert_array_equal(without[2].values, whole[2].values)
    assert not without[3].values[1:3].any() and whole[3].values[1:3].any()
    np.testing.assert_array_equal(without[3].values[3:], whole[3].values[3:])
    signal = torch.tensor(without[3].values[None])
    with torch.inference_mode():
        expected = reader.model[4:](signal)[0].numpy()
    np.testing.assert_allclose(without[-1].values, expected, atol=1e-5)
    assert np.abs(without[-1].values - whole[-1].values).max() > 1e-3
    np.testing.assert_array_equal(layers.outputs(reader, image)[-1].values, whole[-1].values)


def test_one_visitors_switches_do_not_affect_others(image: np.ndarray) -> None:
    """A pass with a channel off does not change another visitor's pass at the same time."""
    reader = reader_of("simple_cnn")
    expected = layers.outputs(reader, image)
    passes: list[Any] = []

    def another(*_: Any) -> None:
        if not passes:
            passes.append(None)
            passes.append(layers.outputs(reader, image, {(0, 0), (3, 1)}))

    reader.model[2].register_forward_pre_hook(another)
    found = layers.outputs(reader, image)
    assert not passes[1][0].values[0].any()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.values, other.values)

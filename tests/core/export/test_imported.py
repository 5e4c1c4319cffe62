"""Importing networks: our own exports, and the weights of tutorials' networks."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from core.config import NETWORKS, TrainConfig
from core.data import mnist
from core.errors import CheckpointError, RunError
from core.export import bundle, imported, incoming, layers, source, terms, weights
from core.export.terms import PIXELS, File
from core.jobs import request
from core.my_digits import finetune, fitting
from core.my_digits.collection import Collection
from core.reading.reader import Reader, calibrated_reader
from core.runs import answers, builtin, catalogue, settings
from core.runs.person import Person
from core.training import networks
from core.training.onnx_network import OnnxNetwork
from tests.core.training.onnx_files import linear, nearest_mean

from .conftest import Finished


def some_digits() -> Any:
    """Return 30 digits of the sample, as readers take them."""
    return mnist.load("sample").train_images[:30].astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_comes_back(network: str, finished: Finished, tmp_path: Path) -> None:
    """A run's settings, calibration and answers are the same after export and import."""
    run = finished(f"my {network}", network=network, validation_size=200, seed=7)
    bundle.write([weights.file(source.of(run))], tmp_path)
    back = imported.take(tmp_path)
    assert (back.name, back.config, back.calibration) == (run.name, run.config, run.calibration)
    assert (back.data, back.parameters is None, back.imported) == ("sample", False, "run")
    np.testing.assert_array_equal(Reader(back).read(some_digits()), Reader(run).read(some_digits()))


def test_accuracies_are_measured_and_not_taken_from_the_file(
    finished: Finished, tmp_path: Path
) -> None:
    """An imported run is tested and validated here, so that it can be compared with others."""
    run = finished(network="mlp")
    bundle.write([weights.file(source.of(run))], tmp_path)
    back = imported.take(tmp_path, "back")
    digits = mnist.load("sample")
    for split, found in (("test", back.test_accuracy), ("validation", back.validation_accuracy)):
        result = answers.of(run, split, digits)
        assert found == pytest.approx((result.probabilities.argmax(1) == result.labels).mean())


def test_taught_run_comes_back_with_its_parents_data(finished: Finished, tmp_path: Path) -> None:
    """The number of my digits it learned from, and its parent's data, stay with it."""
    run = finished("taught", network="strong_cnn", parent=builtin.run(), taught_digits=12)
    bundle.write([weights.file(source.of(run))], tmp_path)
    back = imported.take(tmp_path)
    assert (back.taught_digits, back.seen) == (12, ("mnist",)) == (run.taught_digits, run.seen)
    np.testing.assert_array_equal(Reader(back).read(some_digits()), Reader(run).read(some_digits()))


def test_built_in_and_taught_come_back_with_what_they_know(
    made: list[File], sample_only: None, tmp_path: Path
) -> None:
    """The data a network may have learned from stay with it: it is not tested on the sample."""
    (tmp_path / "all.zip").write_bytes(bundle.packed(made))
    back = imported.take(tmp_path / "all.zip", "again")
    digits = mnist.load("sample")
    assert answers.splits(back, digits) == (answers.KNOWN,)
    assert back.test_accuracy is None and back.validation_accuracy is None
    facts = builtin.facts()
    result = answers.of(back, answers.KNOWN, digits)
    accuracy = (result.probabilities.argmax(1) == result.labels).mean()
    assert accuracy == pytest.approx(facts["sample_accuracy"], abs=0.005)

    child = catalogue.create(TrainConfig(), "sample", parent=back, taught_digits=12)
    assert child.seen == ("mnist",)


class PyTorchExample(nn.Module):
    """PyTorch's MNIST example, with its author's names of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.fc1, self.fc2 = nn.Linear(9216, 128), nn.Linear(128, 10)


class SimpleCNN(nn.Module):
    """A tutorial's network, whose layers are not named in the order of their use."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3136, 128), nn.Linear(128, 10)
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
        self.bn1, self.bn2 = nn.BatchNorm2d(32), nn.BatchNorm2d(64)


class LeNet(nn.Module):
    """LeNet-5 as it is usually written."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c3, self.c5 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
        self.f6, self.out = nn.Linear(120, 84), nn.Linear(84, 10)


@pytest.mark.parametrize(
    ("model", "network", "names"),
    [
        (PyTorchExample(), "pytorch_example", ("conv1", "conv2", "fc1", "fc2")),
        (SimpleCNN(), "simple_cnn", ("conv1", "bn1", "conv2", "bn2", "fc1", "fc2")),
    ],
    ids=lambda one: type(one).__name__,
)
def test_tutorials_layers_are_found_by_order_and_shape(
    model: nn.Module, network: str, names: tuple[str, ...]
) -> None:
    """The names of the layers and the order in which they are listed do not matter."""
    state = model.state_dict()
    config, found = layers.fitted(state)
    assert config.network == network
    weights_here = [value for name, value in found.items() if name.endswith(".weight")]
    for name, value in zip(names, weights_here, strict=True):
        assert torch.equal(value, state[f"{name}.weight"]), name


@pytest.mark.parametrize("form", ["pt", "parallel", "safetensors", "trained"])
def test_weights_are_read_in_every_form(form: str, tmp_path: Path) -> None:
    """Alone or beside an optimizer's state, with DataParallel's prefix or without."""
    state = LeNet().state_dict()
    path = tmp_path / "their network.pt"
    if form == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file(state, path)
    elif form == "parallel":
        torch.save(OrderedDict((f"module.{name}", value) for name, value in state.items()), path)
    else:
        torch.save({"epoch": 3, "model_state_dict": state} if form == "trained" else state, path)
    found = incoming.read(path)
    assert found.config.network == "lenet5"
    for ours, theirs in zip(found.state.values(), state.values(), strict=True):
        assert torch.equal(ours, theirs)


def test_weights_alone_are_tested_if_it_is_known_what_they_learned_from(
    sample_only: None, tmp_path: Path
) -> None:
    """By default every image counts as known. Pixels are prepared in the way that reads best."""
    torch.save(LeNet().half().state_dict(), tmp_path / "their network.pt")
    run = imported.take(tmp_path / "their network.pt")
    digits = mnist.load("sample")
    assert (run.name, run.data, run.imported) == ("their network", "unknown", "weights")
    assert answers.splits(run, digits) == (answers.KNOWN,)
    assert "data that are not known" in answers.why_no_test(run)
    assert "may be used in another way" in run.warning  # it was never trained
    assert answers.of(run, answers.KNOWN, digits).probabilities.shape == (1_000, 10)
    other = imported.take(tmp_path / "their network.pt", "another")
    assert settings.key_of(other) != settings.key_of(run)  # nobody knows their settings


def test_misfit_is_described_by_layer_and_shape(tmp_path: Path) -> None:
    """The nearest network is named, with the layers and shapes that differ from it."""
    model = PyTorchExample()
    model.fc1 = nn.Linear(9216, 64)
    torch.save(model.state_dict(), tmp_path / "other.pt")
    with pytest.raises(
        CheckpointError, match=r"nearest, by its layers, is pytorch_example"
    ) as told:
        imported.take(tmp_path / "other.pt")
    assert "fc1 has weight 64 × 9216, bias 64, where it has weight 128 × 9216, bias 128" in str(
        told.value
    )


class Malicious:
    """An object that runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("code in the file was run",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("code.pt", {"weight": Malicious()}, "more than weights"),
        ("list.pt", [torch.zeros(2)], "no weights by name"),
        ("photo.pt", "a renamed picture", "not a PyTorch file"),
        ("text.zip", "no ZIP", "is damaged"),
        ("text.safetensors", "no weights", "is damaged"),
        ("text.h5", "another kind", "is not a kind of file that can be imported"),
        ("nowhere.zip", None, "cannot be read"),
    ],
)
def test_foreign_files_are_refused_in_a_sentence(
    name: str, content: object, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No code in them runs, no run is made, and the message says what to give instead."""
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(CheckpointError, match=message):
        imported.take(path)
    assert "was run" not in capsys.readouterr().out
    assert catalogue.listed() == []


def test_large_files_and_strangers_of_a_demo_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file over the limit is not read, and visitors of a demo cannot import networks."""
    path = tmp_path / "large.pt"
    with path.open("wb") as file:
        file.truncate(terms.MAX_BYTES + 1)
    with pytest.raises(CheckpointError, match="too large: at most 64 MB"):
        imported.take(path)
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    with pytest.raises(RunError, match="Networks cannot be imported in the public demo"):
        imported.take(path, by=Person("Eve", "tag"))


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    """NaN among the weights is reported at once, not at the first answer."""
    model = networks.build(TrainConfig().changed({"network": "lenet5"}))
    state = {
        f"layer{name}": value.fill_(float("nan")) for name, value in model.state_dict().items()
    }
    torch.save(state, tmp_path / "nan.pt")
    with pytest.raises(CheckpointError, match="do not fit"):
        imported.take(tmp_path / "nan.pt")


@pytest.mark.parametrize(
    ("way", "scale", "offset"),
    [("0..1", 1, 0), ("-1..1", 2, -1), ("mnist", 1 / 0.3081, -0.1307 / 0.3081), ("0..255", 255, 0)],
)
def test_preparation_of_pixels_is_found_by_what_reads_best(
    way: str, scale: float, offset: float, tmp_path: Path
) -> None:
    """An ONNX file does not say how it prepares pixels: the best of four ways is used and named."""
    path = tmp_path / "theirs.onnx"
    path.write_bytes(linear(*nearest_mean(scale, offset)))
    about, (mean, std) = PIXELS[way]
    found = incoming.read(path)
    assert (found.config.mean, found.config.std) == (mean, std)
    assert found.note.startswith(f"With pixels {about}, it reads 79.") and not found.warning
    told = incoming.read(path, "0..1")
    assert told.config.std == 1 and told.note.startswith("With pixels from 0 to 1, it reads ")


def test_of_ways_that_read_alike_the_one_with_the_least_loss_is_taken(tmp_path: Path) -> None:
    """These weights add up to 0 for each digit, so brightness matters for the confidence alone."""
    weights, _ = nearest_mean(1, 0)
    weights = weights - weights.mean(axis=0)
    biases = np.arange(10) / 10  # without them, all ways would read exactly alike
    path = tmp_path / "theirs.onnx"
    path.write_bytes(linear(3 * weights / np.linalg.norm(weights, axis=0), biases))
    assert incoming.read(path).note.startswith("With pixels from 0 to 1, it reads 79.8")


def test_onnx_file_is_evaluated_and_drawn_with_like_a_run(
    sample_only: None, tmp_path: Path
) -> None:
    """It is tested if its data are given; what needs layers says that it is not available."""
    path = tmp_path / "theirs.onnx"
    path.write_bytes(linear(*nearest_mean(1, 0), softmax=True))
    run = imported.take(path, learned="mnist")
    digits = mnist.load("sample")
    assert (run.name, run.network, run.imported) == ("theirs", "ONNX", "onnx")
    assert run.parameters == 7_850
    assert "it reads" in run.note and answers.splits(run, digits) == (answers.KNOWN,)
    result = answers.of(run, answers.KNOWN, digits)
    assert (result.probabilities.argmax(axis=1) == result.labels).mean() > 0.75
    [reading] = calibrated_reader(run).readings(some_digits()[:1])
    assert 0 <= reading.digit <= 9 and not reading.judged
    mine = Collection((), digits.test_images[:30], digits.test_labels[:30])
    for refused in (
        lambda: source.of(run),
        lambda: request.like(run),
        lambda: finetune.start(run),
        lambda: fitting.learn(run, mine, mine.images),
    ):
        with pytest.raises(RunError, match="ONNX file"):
            refused()


def test_our_own_onnx_file_comes_back_alone(
    made: list[File], sample_only: None, tmp_path: Path
) -> None:
    """Its answers are the reader's: it includes everything around the network."""
    [network] = [one for one in made if one.name == "model.onnx"]
    (tmp_path / network.name).write_bytes(network.content)
    found = incoming.read(tmp_path / network.name)
    assert (found.kind, found.config.mean, found.config.std) == ("onnx", 0, 1)
    assert found.onnx is not None
    alone = OnnxNetwork(found.onnx.numpy().tobytes())
    theirs = alone(torch.from_numpy(some_digits()).unsqueeze(1)).softmax(dim=1).numpy()
    np.testing.assert_allclose(theirs, Reader(builtin.run()).read(some_digits()), atol=1e-4)

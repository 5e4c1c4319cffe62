"""The ONNX file answers as the reader does."""

import numpy as np
import onnx
import onnxruntime
import pytest

from core.data import mnist
from core.errors import RunError
from core.export import onnx as exported
from core.export import source

from .conftest import Finished

# Kinds of layers and of reading that the built-in network, whose export other tests read, has not.
# `python -m benchmarks.export` compares every network's.
KINDS = (
    {"network": "lenet5", "mean": 0.0, "std": 1.0, "reading_shift": 1},
    {"network": "fast_cnn"},
)


@pytest.mark.parametrize("settings", KINDS, ids=lambda one: one["network"])
def test_answers_are_the_readers(settings: dict[str, object], finished: Finished) -> None:
    """onnxruntime alone gives them for any number of images, within 1e-5."""
    opened = source.of(finished(**settings))
    content = exported.file(opened).content
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape == ["batch", 28, 28]
    images = mnist.load("sample").train_images[:40].astype(np.float32) / np.float32(255)
    for some in (images, images[:1]):
        [answers] = session.run(["probabilities"], {"pixels": some})
        np.testing.assert_allclose(answers, opened.reader.read(some), atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map == {"sure_from": "0.9"}


def test_file_with_other_answers_is_not_offered(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ONNX file whose answers differ from the network's is refused, with the difference."""
    opened = source.of(finished(network="mlp"))
    monkeypatch.setattr(exported, "difference", lambda *_: 0.25)
    monkeypatch.setattr(exported, "_exported", lambda _: onnx.ModelProto())
    with pytest.raises(RunError, match=r"differs by 0\.25, so it is not offered"):
        exported.file(opened)

"""ONNX files from elsewhere: each form of images, and what is refused."""

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from core.data import mnist
from core.errors import CheckpointError
from core.training.onnx_network import OnnxNetwork
from tests.core.training.onnx_files import file, linear, nearest_mean


def digits() -> torch.Tensor:
    """Return five test digits as `(5, 1, 28, 28)` in [0, 1]."""
    return torch.from_numpy(mnist.load("sample").test_images[:5]).float().unsqueeze(1) / 255


@pytest.mark.parametrize(
    ("sizes", "softmax", "kind"),
    [
        (("n", 1, 28, 28), False, TensorProto.FLOAT),
        ((1, 1, 28, 28), True, TensorProto.FLOAT),
        (("n", 28, 28), True, TensorProto.DOUBLE),
        (("n", 784), False, TensorProto.FLOAT16),
        ((None, 28, 28, 1), True, TensorProto.FLOAT),
        ((4, "h", "w"), False, TensorProto.FLOAT),
    ],
)
def test_images_are_given_in_the_form_that_the_file_takes(
    sizes: tuple[object, ...], softmax: bool, kind: int
) -> None:
    """With any number of images or a fixed one, as floats of any width, scores or shares."""
    weights, biases = nearest_mean(1, 0)
    network = OnnxNetwork(linear(weights, biases, sizes, softmax, kind))
    pixels = digits()
    scores = pixels.reshape(-1, 784).double() @ torch.from_numpy(weights) + torch.from_numpy(biases)
    torch.testing.assert_close(
        network(pixels).softmax(dim=1).double(), scores.softmax(dim=1), atol=0.02, rtol=0
    )
    assert network.numbers == 7_850


def test_whole_numbers_are_given_where_they_are_wanted() -> None:
    """A file for uint8 pixels gets them rounded, from 0 to 255."""
    weights, biases = nearest_mean(255, 0)
    network = OnnxNetwork(linear(weights, biases, kind=TensorProto.UINT8))
    answers = network(digits() * 255).argmax(dim=1)
    assert (answers.numpy() == mnist.load("sample").test_labels[:5]).mean() >= 0.6


def _outside() -> bytes:
    weights = numpy_helper.from_array(np.zeros((784, 10), np.float32), "w")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "/etc/hostname"
    return file([helper.make_node("MatMul", ["pixels", "w"], ["y"])], [weights])


def _endless() -> bytes:
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("d", TensorProto.BOOL, [])],
    )
    return file([helper.make_node("Loop", ["", ""], [], body=body)], [], output="pixels")


def _huge() -> bytes:
    sizes = numpy_helper.from_array(np.array([2_000_000_000]), "s")
    return file(
        [
            helper.make_node("ConstantOfShape", ["s"], ["c"]),
            helper.make_node("ReduceSum", ["c"], ["r"], keepdims=0),
            helper.make_node("Add", ["pixels", "r"], ["y"]),
        ],
        [sizes],
    )


def _as_it_is(sizes: tuple[object, ...] = ("n", 784), operator: str = "Identity") -> bytes:
    return file([helper.make_node(operator, ["pixels"], ["y"])], [], sizes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no file of onnx's", "damaged"),
        (_outside(), "second file"),
        (_endless(), "has loops"),
        (_huge(), "does not compute"),
        (_as_it_is(operator="MyOwn"), r"cannot be opened. onnxruntime says: .*MyOwn"),
        (_as_it_is(), r"answers with 1 × 784, but N × 10"),
        (_as_it_is(("n", 3, 32, 32)), r"takes n × 3 × 32 × 32 of .*N × 1 × 28 × 28"),
        (
            linear(np.full((784, 10), np.nan), np.zeros(10)),
            "are not finite numbers",
        ),
    ],
    ids=["text", "outside", "loop", "memory", "operator", "answers", "images", "nan"],
)
def test_files_that_do_not_classify_digits_are_refused(content: bytes, message: str) -> None:
    """The message says by shape what does not fit; nothing outside the file is read."""
    with pytest.raises(CheckpointError, match=message):
        OnnxNetwork(content)(digits())

"""Small ONNX files, made without a training: a linear classifier, and what must be refused."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.data import mnist

Rows = NDArray[np.float64]


@lru_cache
def nearest_mean(scale: float, offset: float) -> tuple[Rows, Rows]:
    """Return weights `(784, 10)` and biases of the nearest class mean, for pixels scaled so.

    A pixel in [0, 1] is multiplied by `scale`, and `offset` added.
    """
    digits = mnist.load("sample")
    pixels, labels = digits.train_images[::2].reshape(-1, 784), digits.train_labels[::2]
    means = np.stack([pixels[labels == label].mean(axis=0) for label in range(10)])
    means = means / 255 * scale + offset
    return means.T / scale**2, -0.5 * (means**2).sum(axis=1) / scale**2


def linear(
    weights: Rows,
    biases: Rows,
    sizes: tuple[Any, ...] = ("n", 1, 28, 28),
    softmax: bool = False,
    kind: int = TensorProto.FLOAT,
) -> bytes:
    """Return a file that takes pixels in `sizes` and answers with `(N, 10)`."""
    count = sizes[0] if isinstance(sizes[0], int) else -1
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["numbers", "form"], ["rows"]),
        helper.make_node("MatMul", ["rows", "weights"], ["products"]),
        helper.make_node("Add", ["products", "biases"], ["scores"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["scores"], ["answers"], axis=1))
    given = [
        numpy_helper.from_array(weights.astype(np.float32), "weights"),
        numpy_helper.from_array(biases.astype(np.float32), "biases"),
        numpy_helper.from_array(np.array([count, 784]), "form"),
    ]
    return file(nodes, given, sizes, "answers" if softmax else "scores", kind)


def file(
    nodes: list[Any],
    given: list[Any],
    sizes: tuple[Any, ...] = ("n", 784),
    output: str = "y",
    kind: int = TensorProto.FLOAT,
) -> bytes:
    """Return some nodes as a file, with an input `pixels`."""
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("pixels", kind, sizes)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        given,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content

"""The network as ONNX: from pixels to the probabilities that we read, in one file.

The file includes the steps around the network: the versions of each digit, the normalization of
pixels, the mean over moved copies and the temperature. `file` checks the answers before it returns.
"""

import json
import logging
import warnings
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.data.mnist import load
from core.errors import RunError
from core.export.source import Source
from core.export.terms import File
from core.reading.reader import Reader, slants, versions
from core.training.batches import normalize
from core.training.inference import moved

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch.onnx import ONNXProgram


NAME = "model.onnx"
INPUT, OUTPUT = "pixels", "probabilities"
CHECKED = 300  # images, on which the file's answers are compared with ours
TOLERANCE = 1e-4  # largest difference of a probability there


class Answers(nn.Module):
    """From `(N, 28, 28) float32` digits in [0, 1] to `(N, 10)`, as `Reader.read` computes it."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.network, self.config = reader.model, reader.config
        self.temperature = reader.calibration.temperature
        self.slants = nn.Buffer(slants())

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the calibrated probabilities, means over the versions of each digit."""
        copies = torch.cat(list(versions(pixels, self.slants)))
        answers = [
            self.network(normalize(copy, self.config)).softmax(dim=1)
            for copy in moved(copies, self.config.reading_shift)
        ]
        logits = torch.stack(answers).mean(dim=0).clamp_min(1e-12).log() / self.temperature
        return logits.softmax(dim=1).reshape(-1, pixels.shape[0], 10).mean(dim=0)


def file(source: Source) -> File:
    """Return the network as ONNX. Raises RunError if its answers differ from ours."""
    model = _exported(source.reader)
    entry = model.metadata_props.add()
    entry.key = "sure_from"  # the probability from which an answer counts as sure, or null
    entry.value = json.dumps(source.reader.calibration.sure_from)
    content = model.SerializeToString(deterministic=True)
    images = load("sample").test_images[::3][:CHECKED].astype(np.float32) / np.float32(255)
    worst = difference(content, source.reader, images)
    if not worst <= TOLERANCE:
        raise RunError(
            f"The ONNX file of the run {source.run.name} gives other answers than its network: "
            f"a probability differs by {worst:.2g}, so it is not offered. Choose another run."
        )
    return File(NAME, content, "the network from pixels to probabilities, for any ONNX runtime")


def difference(content: bytes, reader: Reader, images: NDArray[np.float32]) -> float:
    """Return the largest difference of a probability between an ONNX file and a reader.

    `images` are `(N, 28, 28) float32` in [0, 1]. The first is also read alone, since any number of
    images must work.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def answers(some: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(session.run([OUTPUT], {INPUT: some})[0])

    ours = reader.read(images)
    theirs = np.concatenate([answers(images[at : at + 500]) for at in range(0, len(images), 500)])
    alone = np.abs(answers(images[:1]) - ours[:1]).max()
    return float(max(np.abs(theirs - ours).max(), alone))


def _exported(reader: Reader) -> "ModelProto":
    """Return the ONNX model, without the exporter's notes on source files and lines."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own exporter, about itself
            program = torch.onnx.export(
                Answers(reader).eval(),
                (torch.zeros(2, 28, 28),),
                dynamo=True,
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=[INPUT],
                output_names=[OUTPUT],
                external_data=False,
                verbose=False,
            )
    finally:
        log.setLevel(level)
    model = cast("ONNXProgram", program).model_proto  # only the old exporter returns None
    _forget(model)
    return model


def _forget(model: "ModelProto") -> None:
    """Remove the exporter's notes, which name this machine's paths."""
    del model.metadata_props[:]
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for weight in graph.initializer:
        del weight.metadata_props[:]
        weight.doc_string = ""

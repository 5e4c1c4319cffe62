"""A network in an imported ONNX file: it gives answers, but neither layers nor gradients.

The file is not trusted: it must be self-contained and have no loops. onnxruntime runs it on the CPU
with its own operators only, and within limits of memory and time.
"""

import math
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import CheckpointError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# The shapes that a network may expect of one image: PyTorch's, a matrix, a row, and Keras's.
SHAPES = ((1, 28, 28), (28, 28), (784,), (28, 28, 1))
_KINDS: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
_CHUNK = 100  # images at once, if the file allows any number
_MOST_AT_ONCE = 1_000  # the largest batch size that a file may require
_MEMORY = 1 << 30  # bytes for the computations of all such networks
_SECONDS = 20.0  # for one chunk
_TOLD = 200  # characters of onnxruntime's own message that are shown


class OnnxNetwork(nn.Module):
    """Maps `(N, 1, 28, 28) float32` prepared pixels to `(N, 10)`, whose softmax is the answer."""

    def __init__(self, content: bytes) -> None:
        """Open the file, and try out which shape of images it takes.

        Raises CheckpointError, with the shapes, if it does not classify 28 × 28 pixels.
        """
        super().__init__()
        self.numbers = _checked(content)  # how many parameters it has
        self._session = _opened(content)
        self._name, self._kind, shapes, count = _input(self._session)
        self._shape, self._count, self._output = self._tried(shapes, count)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the logits, or the logarithms of the answers if the network ends in a softmax."""
        images = pixels.detach().float().cpu().numpy()
        step = self._count or _CHUNK
        parts = [images[at : at + step] for at in range(0, len(images), step)]
        rows = np.concatenate([self._answers(part)[: len(part)] for part in parts])
        if not np.isfinite(rows).all():
            raise CheckpointError("The ONNX network's answers are not finite numbers.")
        sums = rows.sum(axis=1, keepdims=True)
        shares = (rows.min(axis=1, keepdims=True) >= 0) & (np.abs(sums - 1) < 1e-3)
        logits = np.where(shares, np.log(np.clip(rows, 1e-12, None)), rows)
        return torch.from_numpy(logits.astype(np.float32)).to(pixels.device)

    def _answers(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the answers to one chunk, padded to the batch size that the file requires."""
        missing = max(self._count - len(images), 0)
        images = np.pad(images, ((0, missing), (0, 0), (0, 0), (0, 0)))
        return np.asarray(self._run(images, self._shape)[self._output], np.float32)

    def _run(self, images: NDArray[np.float32], shape: tuple[int, ...]) -> list[Any]:
        """Return all outputs of the network for some images. Raises CheckpointError."""
        from onnxruntime import RunOptions

        given = images.reshape(-1, *shape)
        if self._kind == np.uint8:
            given = np.rint(given).clip(0, 255)
        options = RunOptions()
        limit = threading.Timer(_SECONDS, setattr, (options, "terminate", True))
        limit.daemon = True
        limit.start()
        try:
            found: list[Any] = self._session.run(
                None, {self._name: given.astype(self._kind)}, options
            )
        except Exception as error:  # onnxruntime's errors have no common base class
            raise CheckpointError(_refused("does not compute", error)) from error
        finally:
            limit.cancel()
        return found

    def _tried(self, shapes: list[tuple[int, ...]], count: int) -> tuple[tuple[int, ...], int, int]:
        """Return the shape that works, the batch size (0 for any), and the index of the output."""
        found: list[Any] = []
        problem = None
        for shape in shapes:
            for several in (count,) if count else (2, 1):
                try:
                    found = self._run(np.zeros((several, 1, 28, 28), np.float32), shape)
                except CheckpointError as error:
                    problem = error
                    continue
                for place, one in enumerate(found):
                    if np.shape(one) == (several, 10) and np.asarray(one).dtype.kind == "f":
                        return shape, 0 if several == 2 and not count else several, place
        if not found and problem is not None:
            raise problem
        given = " and ".join(_shape(np.shape(one)) for one in found) or "nothing"
        raise CheckpointError(
            f"The ONNX file answers with {given[:_TOLD]}, but N × 10 numbers are needed, one for "
            "each digit. Export only the classifier."
        )


def _checked(content: bytes) -> int:
    """Return a file's number of parameters. Raises CheckpointError for content that is not allowed.

    Data in other files could be any file on this machine, and a loop might never end.
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx import ModelProto, NodeProto, TensorProto

    model, learned = ModelProto(), 0
    try:
        model.ParseFromString(content)
    except DecodeError as error:
        raise CheckpointError(
            "This is not an ONNX file, or it is damaged. Download or export it again."
        ) from error
    for part in _parts(model):
        if isinstance(part, NodeProto) and part.op_type in ("Loop", "Scan"):
            raise CheckpointError("The ONNX file has loops, which are not allowed here.")
        if isinstance(part, TensorProto):
            if part.data_location == TensorProto.EXTERNAL:
                raise CheckpointError(
                    "The ONNX file keeps its weights in a second file. Export it as one: with "
                    "torch.onnx.export, external_data=False."
                )
            if part.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16):
                learned += math.prod(part.dims)
    return learned


def _parts(message: Any) -> Iterator[Any]:
    """Yield a protobuf message and all messages in it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if hasattr(value, "ListFields") else value:
                yield from _parts(inner)


def _opened(content: bytes) -> "InferenceSession":
    """Open the file with onnxruntime, which checks its operators. Raises CheckpointError."""
    from onnxruntime import InferenceSession, SessionOptions

    _bound_memory()
    options = SessionOptions()
    options.log_severity_level = 4  # errors are raised instead, with our own messages
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base class
        raise CheckpointError(_refused("cannot be opened", error)) from error


@lru_cache(maxsize=1)
def _bound_memory() -> None:
    """Limit the memory of all these networks together to `_MEMORY` bytes, for the whole process."""
    from onnxruntime import (
        OrtAllocatorType,
        OrtArenaCfg,
        OrtMemoryInfo,
        OrtMemType,
        create_and_register_allocator,
    )

    arena = OrtMemoryInfo("Cpu", OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, OrtMemType.DEFAULT)
    create_and_register_allocator(arena, OrtArenaCfg({"max_mem": _MEMORY}))


def _input(session: "InferenceSession") -> tuple[str, Any, list[tuple[int, ...]], int]:
    """Return the input's name, its type of numbers, possible shapes, and batch size (0 for any).

    Raises CheckpointError, with the shape that the file takes and those that would fit.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise CheckpointError(f"The ONNX file has {len(inputs)} inputs, but must have one.")
    name, sizes, kind = inputs[0].name, list(inputs[0].shape), inputs[0].type
    shapes: list[tuple[int, ...]] = [one for one in SHAPES if not sizes or _fits(sizes[1:], one)]
    count = sizes[0] if sizes and isinstance(sizes[0], int) else 0
    if not shapes or kind not in _KINDS or not 0 <= count <= _MOST_AT_ONCE:
        wanted = ", ".join(_shape(("N", *shape)) for shape in SHAPES)
        raise CheckpointError(
            f"The ONNX file takes {_shape(tuple(sizes))} of {kind}, but must take one of {wanted}, "
            "as float numbers or uint8."
        )
    return name, _KINDS[kind], shapes, count


def _fits(sizes: list[Any], shape: tuple[int, ...]) -> bool:
    """Return whether declared sizes, some of which may be free, allow a shape."""
    return len(sizes) == len(shape) and all(
        not isinstance(one, int) or one == wanted for one, wanted in zip(sizes, shape, strict=True)
    )


def _shape(sizes: tuple[Any, ...]) -> str:
    return " × ".join(str(one or "N")[:20] for one in sizes) or "one number"


def _refused(what: str, error: Exception) -> str:
    reason = str(error).splitlines()[0][:_TOLD] if str(error) else type(error).__name__
    return f"The ONNX file {what}. onnxruntime says: {reason}"

"""Look inside a network: each layer's output for one digit, and the sum behind each value.

This is a single pass of the unchanged image, whereas a reading averages over several versions.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.reading.reader import Reader
from core.training.batches import normalize

Channel = tuple[int, int]  # the position of a layer in the network, and one of its channels

_NAMES: dict[type[nn.Module], str] = {
    nn.Conv2d: "Convolution",
    nn.BatchNorm2d: "Batch normalization",
    nn.BatchNorm1d: "Batch normalization",
    nn.MaxPool2d: "Max pooling",
    nn.AvgPool2d: "Average pooling",
    nn.AdaptiveMaxPool2d: "Max pooling",
    nn.ReLU: "ReLU",
    nn.Tanh: "Tanh",
    nn.Flatten: "Flatten",
    nn.Dropout: "Dropout",
    nn.Linear: "Dense",
}
_POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(frozen=True, eq=False)
class Output:
    """One layer's output for one image.

    `position` is the layer's index in the network; `values` are `(C, H, W)` maps or `(D,)` numbers,
    float32. `changes` is False for layers that do not change values: flattening, and dropout after
    training.
    """

    position: int
    name: str
    values: NDArray[np.float32]
    changes: bool

    @property
    def is_maps(self) -> bool:
        """Whether the values are maps, rather than a list of numbers."""
        return self.values.ndim == 3

    @property
    def signed(self) -> bool:
        """Whether some value is below 0."""
        return bool(self.values.min() < 0)


@dataclass(frozen=True, eq=False)
class Sum:
    """How a convolution computes one value: patch × kernel, summed, plus bias.

    `patch` and `kernel` are `(C, K, K)` for the layer's C input maps; outside of a map, the patch
    is 0. `after` has the name of each following layer and its value at the same place, up to the
    next layer that combines maps.
    """

    patch: NDArray[np.float32]
    kernel: NDArray[np.float32]
    bias: float
    value: float
    after: tuple[tuple[str, float], ...]

    @property
    def products(self) -> NDArray[np.float32]:
        """Patch × kernel, `(C, K, K)`."""
        return self.patch * self.kernel


def names(model: nn.Sequential) -> list[str]:
    """Return the name of each layer, with a number if there are several of its kind."""
    kinds = [next(_NAMES[base] for base in type(layer).mro() if base in _NAMES) for layer in model]
    total, seen = Counter(kinds), Counter[str]()
    numbered = []
    for kind in kinds:
        seen[kind] += 1
        numbered.append(f"{kind} {seen[kind]}" if total[kind] > 1 else kind)
    return numbered


def outputs(
    reader: Reader, image: NDArray[np.float32], off: Iterable[Channel] = ()
) -> list[Output]:
    """Return the output of every layer for a (28, 28) image in [0, 1], in the network's order.

    The last has the ten logits. Each channel of `off` is set to 0 in its layer's output.
    """
    # Layer by layer, because hooks would also act on others who read with the network meanwhile.
    found: list[NDArray[np.float32]] = []
    silent = set(off)
    with torch.inference_mode():
        values: Tensor = normalize(torch.tensor(image[None]), reader.config)
        for position, layer in enumerate(reader.model):
            values = layer(values).clone()
            for channel in (channel for where, channel in silent if where == position):
                values[:, channel] = 0
            found.append(values[0].numpy().copy())
    return [
        Output(position, name, output, not isinstance(layer, (nn.Flatten, nn.Dropout)))
        for position, (name, output, layer) in enumerate(
            zip(names(reader.model), found, reader.model, strict=True)
        )
    ]


def answer(reader: Reader, layers: list[Output]) -> NDArray[np.float32]:
    """Return the calibrated softmax of the last layer's logits, `(10,)` probabilities."""
    softmax = torch.tensor(layers[-1].values[None]).softmax(dim=1).numpy()
    return np.asarray(reader.calibration.apply(softmax)[0], np.float32)


def sum_behind(
    reader: Reader,
    image: NDArray[np.float32],
    layers: list[Output],
    position: int,
    channel: int,
    row: int,
    column: int,
) -> Sum:
    """Return how the convolution at `position` computes a value of one of its maps.

    `layers` are the outputs for `image`. Raises ValueError if that layer is not a convolution.
    """
    layer = reader.model[position]
    if not isinstance(layer, nn.Conv2d):
        raise ValueError(f"Layer {position} is a {type(layer).__name__}, not a convolution.")
    if position:
        inputs = torch.tensor(layers[position - 1].values)
    else:
        inputs = normalize(torch.tensor(image[None]), reader.config)[0]
    size, stride = layer.kernel_size[0], layer.stride[0]
    margin = int(layer.padding[0])
    padded = nn.functional.pad(inputs, [margin] * 4)
    top, left = row * stride, column * stride
    kernel = layer.weight.detach()[channel]
    bias = 0.0 if layer.bias is None else float(layer.bias[channel].detach())
    return Sum(
        patch=padded[:, top : top + size, left : left + size].numpy().copy(),
        kernel=kernel.numpy().copy(),
        bias=bias,
        value=float(layers[position].values[channel, row, column]),
        after=_after(reader.model, layers, position, channel, (row, column)),
    )


def _after(
    model: nn.Sequential, layers: list[Output], position: int, channel: int, place: tuple[int, int]
) -> tuple[tuple[str, float], ...]:
    """Follow one value through the layers that process each map separately."""
    row, column = place
    steps = []
    for output in layers[position + 1 :]:
        layer = model[output.position]
        if not output.is_maps or isinstance(layer, nn.Conv2d):
            break
        if isinstance(layer, _POOLS):
            before = layers[output.position - 1].values.shape
            height, width = output.values.shape[1:]
            row, column = (
                min(row * height // before[1], height - 1),
                min(column * width // before[2], width - 1),
            )
        steps.append((output.name, float(output.values[channel, row, column])))
    return tuple(steps)

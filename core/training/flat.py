"""A network's weights as one tensor, so that a step changes them all in one operation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Flat:
    """A network's numbers in one tensor; the network's own tensors become views of it.

    `values` are its parameters, then its running statistics; `trained` is the part of `values` that
    an optimizer changes; `counts` are its integer buffers, which are not part of `values`.
    """

    def __init__(self, model: nn.Module) -> None:
        self.parameters = list(model.parameters())
        statistics = [value for value in model.buffers() if value.is_floating_point()]
        self.counts = [value for value in model.buffers() if not value.is_floating_point()]
        tensors = [*(parameter.detach() for parameter in self.parameters), *statistics]
        self.values = torch.cat([_row(tensor) for tensor in tensors])
        for tensor, view in zip(
            [*self.parameters, *statistics], _views(self.values, tensors), strict=True
        ):
            tensor.data = view
        self.trained = self.values[: sum(parameter.numel() for parameter in self.parameters)]

    def take_gradients(self) -> Tensor:
        """Return the gradient of `trained`, and clear the parameters' gradients."""
        gradients = [parameter.grad for parameter in self.parameters]
        for parameter in self.parameters:
            parameter.grad = None
        return torch.cat([_row(gradient) for gradient in gradients if gradient is not None])

    def by_parameter(self, row: Tensor) -> list[Tensor]:
        """Split a tensor like `trained` into views, one for each parameter."""
        return _views(row, self.parameters)


def _row(tensor: Tensor) -> Tensor:
    """Return a dense tensor's numbers in their order in memory."""
    return tensor.as_strided((tensor.numel(),), (1,))


def _views(row: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return parts of `row`, one after the other, in the shapes and layouts of `tensors`."""
    parts = torch.split(row, [tensor.numel() for tensor in tensors])
    return [
        part.as_strided(tensor.shape, tensor.stride(), part.storage_offset())
        for part, tensor in zip(parts, tensors, strict=True)
    ]

"""The networks. Each takes `(N, 1, 28, 28) float32` normalised images and returns `(N, 10)` logits.

They are plain `nn.Sequential`s, so that the order of layers here is the order in which the Train
page lists them, and a checkpoint's names are their positions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.config import TrainConfig


def simple_cnn(dropout: float) -> nn.Sequential:
    """Two 3×3 convolutions with batch normalisation and pooling; 421,834 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Dropout(dropout)),
        nn.Linear(128, 10),
    )


def digit_cnn(dropout: float) -> nn.Sequential:
    """A 5×5 and a 3×3 convolution, then a wide layer; 1,007,590 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(2000, 500), nn.ReLU(), nn.Dropout(dropout)),
        nn.Linear(500, 10),
    )


def mlp(dropout: float) -> nn.Sequential:
    """Fully connected layers of 300 and 100 with batch normalisation; 267,410 parameters."""
    return nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(784, 300), nn.BatchNorm1d(300), nn.ReLU()),
        *(nn.Linear(300, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(dropout)),
        nn.Linear(100, 10),
    )


def pytorch_example(dropout: float) -> nn.Sequential:
    """PyTorch's MNIST example; its first dropout is half its second. 1,199,882 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Dropout(dropout / 2), nn.Flatten()),
        *(nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(dropout)),
        nn.Linear(128, 10),
    )


def lenet5(dropout: float) -> nn.Sequential:
    """LeNet-5 (LeCun et al., 1998), input padded to 32×32, in today's terms; 61,706 parameters.

    Its partly connected second convolution is a full one, its radial output layer a linear one.
    """
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten()),
        *(nn.Linear(120, 84), nn.Tanh(), nn.Dropout(dropout)),
        nn.Linear(84, 10),
    )


def fast_cnn(dropout: float) -> nn.Sequential:
    """A strided 5×5 convolution halves the image at once; three 3×3 follow. 61,258 parameters."""

    def block(inputs: int, outputs: int, size: int, stride: int = 1) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *block(1, 16, 5, stride=2),
        *block(16, 32, 3),
        nn.MaxPool2d(2),
        *block(32, 64, 3),
        *block(64, 64, 3),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(dropout)),
        nn.Linear(64, 10),
    )


_BUILDERS: dict[str, Callable[[float], nn.Sequential]] = {
    build.__name__: build
    for build in (fast_cnn, simple_cnn, digit_cnn, mlp, pytorch_example, lenet5)
}


def build(config: TrainConfig) -> nn.Sequential:
    """Return the configuration's network, its weights drawn from torch's global generator."""
    return _BUILDERS[config.network](config.dropout)


def parameter_count(model: nn.Module) -> int:
    """Return how many numbers the network learns."""
    return sum(parameter.numel() for parameter in model.parameters())


@dataclass(frozen=True)
class Layer:
    """One layer: its kind, the shape it gives for one image, and how many numbers it learns."""

    kind: str
    output: tuple[int, ...]
    parameters: int


def layers(model: nn.Sequential) -> list[Layer]:
    """Return the network layer by layer, as one image passes through it."""
    training = model.training
    model.eval()
    rows = []
    with torch.inference_mode():
        signal: Tensor = torch.zeros(1, 1, 28, 28)
        for layer in model:
            signal = layer(signal)
            rows.append(
                Layer(type(layer).__name__, tuple(signal.shape[1:]), parameter_count(layer))
            )
    model.train(training)
    return rows

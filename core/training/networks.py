"""The networks. Each takes `(N, 1, 28, 28) float32` normalized images and returns `(N, 10)` logits.

They are plain `nn.Sequential`s: the Train page lists layers in the order they have here, and the
names in a checkpoint are their positions. ReLU comes after max pooling, even where the source has
it before: the result is the same, for a quarter of the work.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.config import TrainConfig


class Dropout(nn.Dropout):
    """`nn.Dropout`, but on a CPU with a mask of random bytes, so `p` is rounded to 1/256.

    On a CPU, `nn.Dropout` draws a number for each value, one after the other, which took a fifth of
    a step of `pytorch_example`.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Set values to 0 at random in training, and scale the others up."""
        if not self.training or not self.p or input.device.type != "cpu":
            return super().forward(input)
        silenced = round(256 * self.p)
        eights = torch.empty(-(-input.numel() // 8), dtype=torch.int64)
        random = eights.random_(torch.iinfo(torch.int64).min, None).view(torch.uint8)
        kept = random[: input.numel()].view(input.shape) >= silenced
        return input * kept * (256 / (256 - silenced))


def simple_cnn(dropout: float) -> nn.Sequential:
    """Two 3×3 convolutions with batch normalization and pooling; 421,834 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), Dropout(dropout)),
        nn.Linear(128, 10),
    )


def digit_cnn(dropout: float) -> nn.Sequential:
    """A 5×5 and a 3×3 convolution, then a wide layer; 1,007,590 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(10, 20, 3), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(2000, 500), nn.ReLU(), Dropout(dropout)),
        nn.Linear(500, 10),
    )


def mlp(dropout: float) -> nn.Sequential:
    """Fully connected layers of 300 and 100 with batch normalization; 267,410 parameters."""
    return nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(784, 300), nn.BatchNorm1d(300), nn.ReLU()),
        *(nn.Linear(300, 100), nn.BatchNorm1d(100), nn.ReLU(), Dropout(dropout)),
        nn.Linear(100, 10),
    )


def pytorch_example(dropout: float) -> nn.Sequential:
    """PyTorch's MNIST example; its first dropout is half its second. 1,199,882 parameters."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Flatten(), Dropout(dropout / 2)),
        *(nn.Linear(9216, 128), nn.ReLU(), Dropout(dropout)),
        nn.Linear(128, 10),
    )


def lenet5(dropout: float) -> nn.Sequential:
    """LeNet-5 (LeCun et al., 1998) with today's layers, input padded to 32×32; 61,706 parameters.

    The original's partly connected second convolution is a full one here, and its output layer of
    radial basis functions is a linear one.
    """
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten()),
        *(nn.Linear(120, 84), nn.Tanh(), Dropout(dropout)),
        nn.Linear(84, 10),
    )


def _block(
    inputs: int, outputs: int, size: int, *, stride: int = 1, padding: int = 0, pool: bool = False
) -> list[nn.Module]:
    """Return a convolution, batch normalization (which has the bias), optional pooling and ReLU."""
    return [
        nn.Conv2d(inputs, outputs, size, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        *([nn.MaxPool2d(2)] if pool else []),
        nn.ReLU(),
    ]


def fast_cnn(dropout: float) -> nn.Sequential:
    """A strided 5×5 convolution halves the image at once; three 3×3 follow. 61,306 parameters.

    It is the only network here that also reads 14×14 images.
    """
    return nn.Sequential(
        *_block(1, 16, 5, stride=2, padding=2),
        *_block(16, 32, 3, padding=1, pool=True),
        *_block(32, 64, 3, padding=1),
        *_block(64, 64, 3, padding=1),
        *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), Dropout(dropout)),
        nn.Linear(64, 10),
    )


def quick_cnn(dropout: float, width: int = 16) -> nn.Sequential:
    """A strided 5×5 and two 3×3 convolutions of `width`, 2 and 4 times as many channels.

    28×28 becomes 12×12 at once, since MNIST's images have empty margins, then 6×6 and 4×4. With a
    width of 16, it has 33,914 parameters and computes a million products per image.
    """
    return nn.Sequential(
        *_block(1, width, 5, stride=2),
        *_block(width, 2 * width, 3, padding=1, pool=True),
        *_block(2 * width, 4 * width, 3),
        *(nn.Flatten(), Dropout(dropout)),
        nn.Linear(64 * width, 10),
    )


def strong_cnn(dropout: float) -> nn.Sequential:
    """Like `quick_cnn`, with a width of 32 and a fourth convolution; 261,610 parameters."""
    return nn.Sequential(
        *_block(1, 32, 5, stride=2),
        *_block(32, 64, 3, padding=1, pool=True),
        *_block(64, 128, 3, padding=1),
        *_block(128, 128, 3),
        *(nn.Flatten(), Dropout(dropout)),
        nn.Linear(2048, 10),
    )


_BUILDERS: dict[str, Callable[[float], nn.Sequential]] = {
    build.__name__: build
    for build in (
        fast_cnn,
        strong_cnn,
        simple_cnn,
        digit_cnn,
        mlp,
        pytorch_example,
        lenet5,
    )
}


def build(config: TrainConfig) -> nn.Sequential:
    """Return the configuration's network, initialized from torch's global generator."""
    if config.network == "quick_cnn":
        return quick_cnn(config.dropout, config.width)
    return _BUILDERS[config.network](config.dropout)


def parameter_count(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters())


@dataclass(frozen=True)
class Layer:
    """One layer: its kind, the shape of its output for one image, and its trainable parameters."""

    kind: str
    output: tuple[int, ...]
    parameters: int


def layers(model: nn.Sequential) -> list[Layer]:
    """Return the network's layers in order, with their output shapes for one image."""
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

"""A network's answers."""

import numpy as np
import torch
from torch import Tensor, nn

from core.config import TrainConfig
from core.data import mnist
from core.reading.reader import Reader
from core.runs import builtin
from core.training.inference import moved, probabilities


class Brightest(nn.Module):
    """Answers with the column, modulo ten, of the brightest pixel; sure of it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(100.0))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits of 100 for one digit and 0 for the others."""
        columns = images.flatten(1).argmax(1) % 28 % 10
        return self.scale * nn.functional.one_hot(columns, 10)


def test_moved_copies() -> None:
    """As it is, then left, right, up, down; what leaves does not come back on the other side."""
    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    image[0, 0, 27] = 9
    spots = [copy.nonzero().tolist() for copy in moved(image, 2)]
    assert spots == [[[0, 0, 27]], [[0, 0, 25]], [], [], [[0, 2, 27]]]
    assert len(list(moved(image, 0))) == 1


def test_reading_shift_averages_five_answers() -> None:
    """Three of five copies have the pixel in its own column."""
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10, 14] = 255
    [once] = probabilities(Brightest(), image, TrainConfig())
    [five] = probabilities(Brightest(), image, TrainConfig(reading_shift=1))
    np.testing.assert_allclose(once, np.eye(10)[4], atol=1e-6)
    np.testing.assert_allclose(five, (np.eye(10)[[4, 4, 4, 3, 5]]).mean(0), atol=1e-6)


def test_reading_shift_reads_a_drawing_as_it_reads_mnist() -> None:
    """A digit in [0, 1], as drawn, gets the answer of the same in whole numbers."""
    digits, model = mnist.load("sample"), Reader(builtin.run()).model
    config, images = TrainConfig(reading_shift=1), digits.test_images[:50]
    drawn = images.astype(np.float32) / 255
    expected = probabilities(model, images, config)
    np.testing.assert_allclose(probabilities(model, drawn, config), expected, atol=1e-5)

"""How well digits as people draw them are read, squeezed to 28 × 28 or prepared like MNIST's."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.data.digits import Digits
from core.errors import InkError
from core.experiments.course import Bars, Finding, Tiles
from core.experiments.trained import Trained
from core.ink.photo import from_picture

_COUNT = 100  # test digits, each drawn in every way
_SIDE = 280  # pixels of a picture
_EXAMPLE = 0  # of the test digits, the one that is shown

Picture = NDArray[np.uint8]  # (280, 280), light ink on a dark ground


def findings(run: Trained, digits: Digits) -> list[Finding]:
    """Return the share of digits that the network reads, drawn in each way, and an example."""
    images, labels = digits.test_images[:_COUNT], digits.test_labels[:_COUNT]
    makers = {"squeezed": _squeezed, "prepared": _prepared}
    rights: dict[str, list[float]] = {name: [] for name in makers}
    tiles: dict[str, list[NDArray[np.float32]]] = {name: [] for name in makers}
    captions: dict[str, list[str]] = {name: [] for name in makers}
    for way, change in _WAYS.items():
        given = [change(image) for image in images]
        for name, make in makers.items():
            inputs = np.stack([make(picture) for picture in given])
            answers = run.read(inputs).argmax(axis=1)
            rights[name].append(float((answers == labels).mean()))
            tiles[name].append(inputs[_EXAMPLE])
            captions[name].append(f"{way}, {name} → {answers[_EXAMPLE]}")
    return [
        Bars(
            f"{_COUNT} test digits, drawn on a canvas: read correctly",
            list(_WAYS),
            {"squeezed to 28 × 28": rights["squeezed"], "prepared": rights["prepared"]},
        ),
        Tiles(
            f"What the network is given: the same {labels[_EXAMPLE]}, and what it reads",
            (255 * np.concatenate([*tiles.values()])).round().tolist(),
            [caption for row in captions.values() for caption in row],
            len(_WAYS),
        ),
    ]


def _squeezed(picture: Picture) -> NDArray[np.float32]:
    """Return the whole picture scaled to (28, 28) in [0, 1], as tutorials do."""
    small = Image.fromarray(picture).resize((28, 28), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32) / np.float32(255)


def _prepared(picture: Picture) -> NDArray[np.float32]:
    """Return the first digit found in the picture, (28, 28) in [0, 1]; black if there is none."""
    try:
        return from_picture(Image.fromarray(picture))[0].image
    except InkError:
        return np.zeros((28, 28), np.float32)


def _on_canvas(image: NDArray[np.uint8], size: int, left: int, top: int) -> Picture:
    """Return a (28, 28) digit on the canvas with sharp edges, its longer side `size` pixels."""
    rows, columns = np.nonzero(image > 64)
    ink = Image.fromarray(image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1])
    scale = size / max(ink.size)
    shape = max(1, round(ink.width * scale)), max(1, round(ink.height * scale))
    large = np.asarray(ink.resize(shape, Image.Resampling.BICUBIC))
    canvas = np.zeros((_SIDE, _SIDE), np.uint8)
    x, y = left + (size - shape[0]) // 2, top + (size - shape[1]) // 2
    canvas[y : y + shape[1], x : x + shape[0]] = np.where(large > 110, 255, 0)
    return canvas


def _middle(image: NDArray[np.uint8]) -> Picture:
    return _on_canvas(image, 200, 40, 40)


def _large(image: NDArray[np.uint8]) -> Picture:
    return _on_canvas(image, 276, 2, 2)


def _corner(image: NDArray[np.uint8]) -> Picture:
    return _on_canvas(image, 100, 170, 10)


def _thick(image: NDArray[np.uint8]) -> Picture:
    return np.where(ndimage.distance_transform_edt(_middle(image) == 0) <= 14, 255, 0).astype(
        np.uint8
    )


def _turned(image: NDArray[np.uint8]) -> Picture:
    return np.asarray(ndimage.rotate(_middle(image), -25, reshape=False, order=1))


_WAYS: dict[str, Callable[[NDArray[np.uint8]], Picture]] = {
    "in the middle": _middle,
    "large": _large,
    "in a corner": _corner,
    "thick pen": _thick,
    "turned by 25°": _turned,
}

"""Maps of digits: similar images close together, by PCA or t-SNE."""

import re
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO

import numpy as np
from numpy.typing import NDArray

from core.data.digits import Digits
from core.data.splits import stratified_split

SIZE = 5_000
_SEED = 70_000  # of the sample; a run with this seed would choose the same images for validation
_COMPONENTS = 50  # of the PCA before t-SNE, as van der Maaten & Hinton (2008) recommend
_STEPS, _ANGLE = 400, 0.8
_NEAREST = 5  # images of a map, among which another image is placed

Points = NDArray[np.float64]  # (N, 2)


def sample(digits: Digits, split: str = "train", size: int = SIZE) -> NDArray[np.int64]:
    """Return the numbers of a stratified sample of a split, or of all its images if fewer.

    Images are numbered as in `core.data.selection`: training images first.
    """
    first = 0 if split == "train" else len(digits.train_labels)
    labels = digits.train_labels if split == "train" else digits.test_labels
    return first + stratified_split(labels, min(size, len(labels)), _SEED)[1]


@dataclass(frozen=True, eq=False)
class Components:
    """The directions in which some images vary most, and the share of the variance they keep."""

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    share: float

    def of(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the coordinates `(N, count)` of images `(N, 28, 28)`."""
        return (images.reshape(len(images), -1) / 255 - self.mean) @ self.directions


def components(images: NDArray[np.uint8], count: int = 2) -> Components:
    """Return the first principal components of images `(N, 28, 28)`."""
    pixels = images.reshape(len(images), -1) / 255
    mean = pixels.mean(0)
    pixels -= mean
    variances, directions = np.linalg.eigh(pixels.T @ pixels)  # in ascending order
    directions = directions[:, ::-1][:, :count]
    # The solver's sign is arbitrary: make the pixel with the largest weight positive.
    heaviest = np.abs(directions).argmax(0)
    directions = directions * np.sign(directions[heaviest, np.arange(count)])
    return Components(mean, directions, float(variances[::-1][:count].sum() / variances.sum()))


def tsne(
    images: NDArray[np.uint8], told: Callable[[float], None] = lambda share: None, seed: int = 0
) -> Points:
    """Return t-SNE coordinates of images `(N, 28, 28)`; 5,000 take 8 s on one thread.

    `told` is called with the share that is done. The share is taken from what scikit-learn prints,
    so this process must print nothing else meanwhile.
    """
    from sklearn.manifold import TSNE  # takes 2 s
    from threadpoolctl import threadpool_limits

    # On two busy cores, two threads are slower than one: they wait for each other.
    with threadpool_limits(1), redirect_stdout(_Progress(told)):
        reducer = TSNE(init="pca", max_iter=_STEPS, angle=_ANGLE, random_state=seed, verbose=2)
        near = components(images, _COMPONENTS).of(images)
        return np.asarray(reducer.fit_transform(near), np.float64)


def among(images: NDArray[np.uint8], known: NDArray[np.uint8], points: Points) -> Points:
    """Return coordinates for images on a map of `known` images: the mean of the nearest ones'."""
    space = components(known, min(_COMPONENTS, known[0].size))
    others, own = space.of(known), space.of(images)
    gaps = (own**2).sum(1)[:, None] + (others**2).sum(1) - 2 * own @ others.T
    nearest = np.argsort(gaps, axis=1)[:, :_NEAREST]
    return np.asarray(points[nearest].mean(axis=1))


class _Progress(StringIO):
    """Reads the number of the step from scikit-learn's output and reports it."""

    def __init__(self, told: Callable[[float], None]) -> None:
        super().__init__()
        self._told = told

    def write(self, text: str) -> int:
        """Report the share that is done, if the text has it."""
        if step := re.search(r"Iteration (\d+)", text):
            self._told(min(int(step[1]) / _STEPS, 1.0))
        return len(text)

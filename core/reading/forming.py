"""How a network forms: its kernels, maps, confusion matrix and a map of digits at each kept moment.

The moments go from the start of a training to its end.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.config import TrainConfig
from core.data.digits import Digits
from core.data.splits import split_for
from core.errors import CheckpointError
from core.evaluation.metrics import confusion
from core.runs import files
from core.runs.run import Run
from core.training import forming, networks
from core.training.batches import normalize

DIGITS = 300  # validation digits that each moment reads
_PICTURES = 32  # kernels, and maps, at most
_DENSE = 12  # kernels as large as a digit, at most


@dataclass(frozen=True, eq=False)
class Formation:
    """A network's M moments, in order, with its results on D validation digits at each.

    `kernels (M, K, h, w)` are those of the first layer; `maps (M, C, H, W)` the outputs of the
    first convolution's block for `digit (28, 28)`, or None without convolutions; `confusion
    (M, 10, 10)` has a row per true digit; `points (M, D, 2)` are the last hidden layer's outputs on
    the two principal axes of the last moment, scaled to about [-1, 1]; `labels (D,)`.
    """

    steps: tuple[int, ...]
    kernels: NDArray[np.float32]
    maps: NDArray[np.float32] | None
    digit: NDArray[np.uint8]
    confusion: NDArray[np.int64]
    points: NDArray[np.float32]
    labels: NDArray[np.uint8]

    @property
    def accuracies(self) -> NDArray[np.float64]:
        """The accuracy at each moment, `(M,)` in [0, 1]."""
        right = np.trace(self.confusion, axis1=1, axis2=2)
        return np.asarray(right / len(self.labels), np.float64)


def formation(run: Run, digits: Digits) -> Formation:
    """Return how a run's kept moments read the first DIGITS digits of its validation set.

    Raises RunError if it kept none, CheckpointError if they are damaged.
    """
    kept = forming.load(files.path(run, files.FORMING))
    split = split_for(
        digits, run.config.validation_size, run.config.train_size, run.config.seed
    ).validation[:DIGITS]
    return of(kept, run.config, digits.train_images[split], digits.train_labels[split])


def of(
    kept: list[forming.Moment],
    config: TrainConfig,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
) -> Formation:
    """Return the formation for `(D, 28, 28)` images with `(D,)` labels; maps show the first one.

    Moments whose weights are not finite, as in a run that diverged, are left out. Raises
    CheckpointError if none is left.
    """
    model = networks.build(config).eval()
    signal = normalize(torch.tensor(images), config)
    steps, kernels, maps, matrices, features = [], [], [], [], []
    for moment in kept:
        try:
            forming.put(moment, model)
        except CheckpointError:
            continue
        steps.append(moment.step)
        kernels.append(_kernels(model))
        maps.append(_maps(model, signal[:1]))
        with torch.inference_mode():
            hidden = model[:-1](signal)
            answers = model[-1](hidden).softmax(dim=1).numpy()
        features.append(hidden.numpy())
        matrices.append(confusion(answers, labels))
    if not steps:
        raise CheckpointError(
            "No moment of this run can be opened: its weights were never finite numbers. Choose "
            "another run."
        )
    first = [one for one in maps if one is not None]
    return Formation(
        steps=tuple(steps),
        kernels=np.stack(kernels),
        maps=np.stack(first) if first else None,
        digit=images[0],
        confusion=np.stack(matrices),
        points=_on_last_axes(features),
        labels=labels,
    )


def _kernels(model: nn.Sequential) -> NDArray[np.float32]:
    """Return the first layer's kernels, `(K, h, w)`; a dense layer's weights are kernels too."""
    first = next(layer for layer in model if isinstance(layer, (nn.Conv2d, nn.Linear)))
    weights = first.weight.detach()
    if isinstance(first, nn.Linear):
        weights = weights[:_DENSE].reshape(-1, 1, 28, 28)
    return np.asarray(weights[:_PICTURES, 0].numpy().copy(), np.float32)


@torch.inference_mode()
def _maps(model: nn.Sequential, signal: Tensor) -> NDArray[np.float32] | None:
    """Return the output before the second convolution, `(C, H, W)`; None without convolutions."""
    mixing = 0
    for layer in model:
        mixing += isinstance(layer, nn.Conv2d)
        if mixing > 1 or isinstance(layer, nn.Flatten):
            break
        signal = layer(signal)
    return np.asarray(signal[0, :_PICTURES].numpy().copy(), np.float32) if mixing else None


def _on_last_axes(features: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Project each moment's `(D, F)` features on the last moment's first two principal axes."""
    last = features[-1]
    middle = last.mean(axis=0)
    axes = np.linalg.svd(last - middle, full_matrices=False)[2][:2]
    points = np.stack([(one - middle) @ axes.T for one in features])
    return np.asarray(points / (np.abs(points[-1]).max() or 1.0), np.float32)

"""Make the detector of non-digits; `tools.make_builtin` does, for its network.

It learns from digits, MNIST's and other people's, and from things made not to be digits. Such
outliers teach about others too (Hendrycks, Mazeika and Dietterich, "Deep Anomaly Detection with
Outlier Exposure", 2019).
"""

from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.interpolate import CubicSpline
from torch import Tensor, nn

from core.config import TrainConfig
from core.data import mnist
from core.data.splits import split_for
from core.ink.photo import from_picture
from core.ink.strokes import draw
from core.reading import non_digits
from core.runs import builtin
from core.training import checkpoint
from core.training.batches import TrainingBatches, normalize
from tools.pen_digits import Drawn

REFUSED = 0.006  # share of the digits that it may refuse: of MNIST's validation, of people's
_EACH = 10_000  # of every kind of outlier
_PEOPLE = 20_000  # images of people's digits
_EPOCHS, _BATCH, _RATE, _DECAY = 12, 256, 1e-3, 0.1


def non_digits_from(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], each: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return `(9 * each, 28, 28)` non-digits, made of digits, of random strokes and of letters.

    Two digits lie over each other, or their halves stand side by side, one on its head; one digit
    is turned or mirrored, if that does not make a digit of it again.
    """

    def some(*digits: int) -> NDArray[np.uint8]:
        chosen: NDArray[np.uint8] = images[np.isin(labels, digits)]
        return chosen[random.integers(len(chosen), size=each)]

    first, second = random.integers(len(images), size=(2, 4 * each))
    pairs = np.flatnonzero(labels[first] != labels[second])[:each]
    one, other = images[first[pairs]], images[second[pairs]]
    return np.concatenate(
        [
            np.maximum(one, other),
            np.concatenate([one[:, :, :14], other[:, ::-1, :13:-1]], 2),
            np.rot90(some(*range(1, 10)), 1, (1, 2)),
            np.rot90(some(*range(1, 10)), 3, (1, 2)),
            np.rot90(some(3, 4, 7), 2, (1, 2)),
            some(3, 4, 6, 7, 9)[:, :, ::-1],
            _scribbled(each, random),
            _lettered(each, random),
            _typed(each, random),
        ]
    )


def _scribbled(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` of one to three strokes through 3 to 8 points anywhere."""

    def stroke() -> NDArray[np.float64]:
        return _stroke(random.uniform(0, 240, (random.integers(3, 9), 2)), random)

    return _drawings([[stroke() for _ in range(random.integers(1, 4))] for _ in range(count)])


def _lettered(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` of two to four bars or bows between points as letters have them."""
    corners = np.array([(x, y) for x in (0, 90, 180) for y in (0, 80, 160, 240)], np.float64)

    def stroke() -> NDArray[np.float64]:
        ends = random.permutation(corners)[: random.integers(2, 4)]
        return _stroke(ends + random.normal(0, 8, 2), random)

    return _drawings([[stroke() for _ in range(random.integers(2, 5))] for _ in range(count)])


# Without those that look like a digit: B, I, L, O, Q, S, Z, b, c, g, i, j, l, o, q, s, z.
LETTERS = "ACDEFGHJKMNPRTUVWXYadefhkmnprtuvwxy"
SHOWN = LETTERS[::2]  # the others are kept for measuring


def _typed(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` of letters in the typefaces that matplotlib carries."""
    fonts = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("DejaVuS*[!y].ttf"))
    letters = []
    for font in fonts:
        face = ImageFont.truetype(str(font), 120)
        for letter in SHOWN:
            page = Image.new("L", (240, 240), 255)
            ImageDraw.Draw(page).text((60, 40), letter, 0, face)
            letters.append(np.rint(255 * from_picture(page)[0].image).astype(np.uint8))
    return np.stack(letters)[random.integers(len(letters), size=count)]


def _stroke(points: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return a line through the points, smooth or with corners."""
    if len(points) == 2 or random.random() < 0.5:
        return points
    last = len(points) - 1
    smooth: NDArray[np.float64] = CubicSpline(range(len(points)), points)(np.linspace(0, last, 60))
    return smooth


def _drawings(shapes: list[list[NDArray[np.float64]]]) -> NDArray[np.uint8]:
    return np.rint([255 * draw(strokes) for strokes in shapes]).astype(np.uint8)


def make(people: Drawn | None, held_out: Drawn | None) -> None:
    """Fit the head and write its weights, in 16 bits. Raises UserError without the full MNIST.

    `people` are learned from as digits, too; from `held_out` on, at most REFUSED are refused.
    """
    # People's digits are moved to the middle before anybody reads them.
    config = builtin.run().config.changed({"shift": 0, "elastic": 0})
    digits = mnist.load("mnist")
    split = split_for(digits, config.validation_size, config.train_size, config.seed)
    images, labels = digits.train_images[split.train], digits.train_labels[split.train]
    others = non_digits_from(images, labels, _EACH, np.random.default_rng(0))
    known = [digits.train_images[split.validation]]
    if people is not None and held_out is not None:
        images = np.concatenate([images, people.sample(_PEOPLE, seed=0)[0]])
        known.append(held_out.sample(len(known[0]), seed=0)[0])
    torch.manual_seed(0)
    batches = TrainingBatches(
        images=np.concatenate([images, others]),
        labels=np.repeat([1, 0], [len(images), len(others)]).astype(np.uint8),
        config=config,
        device=torch.device("cpu"),
        generator=torch.default_generator,
    )
    body, head = non_digits.body(), non_digits.head()
    with torch.no_grad():
        features, wanted = map(torch.cat, zip(*((body(x), y) for x, y in batches), strict=True))
    _fit(head, features, wanted.float())
    with torch.no_grad():
        quantiles = [_scores(body, head, some, config).quantile(REFUSED) for some in known]
        last: nn.Linear = head[-1]  # type: ignore[assignment]  # as `non_digits.head` has it
        last.bias.sub_(torch.stack(quantiles).min())
    checkpoint.save(checkpoint.halved(head.state_dict()), non_digits.WEIGHTS)
    non_digits.detector.cache_clear()


def _scores(
    body: nn.Sequential, head: nn.Sequential, images: NDArray[np.uint8], config: TrainConfig
) -> Tensor:
    """Return the head's scores, `(N,)`, of `(N, 28, 28)` images."""
    parts = np.array_split(images, 5)
    return torch.cat([head(body(normalize(torch.tensor(part), config)))[:, 0] for part in parts])


def _fit(head: nn.Sequential, features: Tensor, wanted: Tensor) -> None:
    """Let the head learn from `(N, D)` features and `(N,)` targets, 1 for a digit."""
    optimizer = torch.optim.AdamW(head.parameters(), _RATE, weight_decay=_DECAY)
    steps = _EPOCHS * -(-len(features) // _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    head.train()
    for _ in range(_EPOCHS):
        for chosen in torch.split(torch.randperm(len(features)), _BATCH):
            scores = head(features[chosen])[:, 0]
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(scores, wanted[chosen])
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
            schedule.step()
    head.eval()

"""Make the detector of non-digits for the built-in network; `tools.make_builtin` calls this.

It learns from digits, MNIST's and other people's, and from drawings made not to be digits. What it
learns from such outliers also applies to other kinds (Hendrycks, Mazeika and Dietterich, "Deep
Anomaly Detection with Outlier Exposure", 2019).
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor, nn

from core.config import TrainConfig
from core.data import mnist
from core.data.people import PenDigit
from core.data.splits import split_for
from core.ink.photo import from_picture
from core.ink.strokes import draw
from core.reading import non_digits
from core.runs import builtin
from core.training import checkpoint
from core.training.batches import TrainingBatches, normalize
from tools import pen_digits
from tools.doodles import (
    RANDOM_SHAPES,
    SHOWN,
    SHOWN_DOODLES,
    Doodle,
    Strokes,
    doodle,
    letters_by_hand,
    smooth,
)

# The shares of digits, in MNIST's validation set and of people's, that it may call non-digits, and
# that it may call unusual, so that an answer is not sure.
REFUSED, UNCLEAR = 0.002, 0.02
_EACH = 5_000  # of every kind of outlier
_COPIES = 2  # of each pen digit: one as strokes, one as a picture
_PEOPLE = 30_000  # images of people's digits
_EPOCHS, _BATCH, _RATE, _DECAY = 8, 512, 1e-3, 0.1


def non_digits_from(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], each: int, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return `(15 * each, 28, 28)` non-digits: distorted digits, scribbles, letters and doodles.

    Distorted digits are two digits on top of each other, half of one beside an upside-down half of
    another, and digits that are turned or mirrored, unless that gives a digit again.
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
            _by_hand(each, random),
            _doodled(SHOWN_DOODLES, each, random),
            _doodled(RANDOM_SHAPES, len(RANDOM_SHAPES) * each, random),
        ]
    )


def _scribbled(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` scribbles: one to three strokes through 3 to 8 random points."""

    def stroke() -> NDArray[np.float64]:
        return _stroke(random.uniform(0, 240, (random.integers(3, 9), 2)), random)

    return _drawings([[stroke() for _ in range(random.integers(1, 4))] for _ in range(count)])


def _lettered(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` letter-like drawings: two to four bars or bows between corners."""
    corners = np.array([(x, y) for x in (0, 90, 180) for y in (0, 80, 160, 240)], np.float64)

    def stroke() -> NDArray[np.float64]:
        ends = random.permutation(corners)[: random.integers(2, 4)]
        return _stroke(ends + random.normal(0, 8, 2), random)

    return _drawings([[stroke() for _ in range(random.integers(2, 5))] for _ in range(count)])


def _by_hand(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` handwritten letters."""
    letters = list(letters_by_hand(SHOWN).values())
    return _drawings([letters[number % len(letters)](random) for number in range(count)])


def _doodled(kinds: Sequence[Doodle], count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` doodles, of all the kinds in turn."""
    return _drawings([doodle(kinds[number % len(kinds)], random) for number in range(count)])


def _typed(count: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return `(count, 28, 28)` printed letters, in the typefaces that come with matplotlib."""
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
    return points if len(points) == 2 or random.random() < 0.5 else smooth(points)


def _drawings(shapes: list[Strokes]) -> NDArray[np.uint8]:
    return np.rint([255 * draw(strokes) for strokes in shapes]).astype(np.uint8)


def make(people: Sequence[PenDigit]) -> None:
    """Fit the head and write its weights, in 16 bits. Raises UserError without the full MNIST.

    `people` are learned from too, except the writers on whom the thresholds are fitted.
    """
    # Digits are always centered before they are read.
    config = builtin.run().config.changed({"shift": 0, "elastic": 0})
    digits = mnist.load("mnist")
    split = split_for(digits, config.validation_size, config.train_size, config.seed)
    images, labels = digits.train_images[split.train], digits.train_labels[split.train]
    others = non_digits_from(images, labels, _EACH, np.random.default_rng(0))
    known = [digits.train_images[split.validation]]
    if people:
        learned, held = (
            pen_digits.drawn(some, seed, _COPIES)
            for seed, some in enumerate(pen_digits.divided(people), 3)
        )
        images = np.concatenate([images, learned.sample(_PEOPLE, seed=0)[0]])
        known.append(held.sample(len(known[0]), seed=0)[0])
    torch.manual_seed(0)
    batches = TrainingBatches(
        images=np.concatenate([images, others]),
        labels=np.repeat([1, 0], [len(images), len(others)]).astype(np.uint8),
        config=config,
        device=torch.device("cpu"),
        generator=torch.default_generator,
    )
    features, head = non_digits.Features(), non_digits.head()
    with torch.inference_mode():
        found, wanted = zip(*((features(x).half(), y) for x, y in batches), strict=True)
    _fit(head, torch.cat(found), torch.cat(wanted).float())
    _scale(head, [_scores(features, head, some, config) for some in known])
    checkpoint.save(checkpoint.halved(head.state_dict()), non_digits.WEIGHTS)
    non_digits.detector.cache_clear()


@torch.inference_mode()
def _scores(
    features: non_digits.Features,
    head: nn.Sequential,
    images: NDArray[np.uint8],
    config: TrainConfig,
) -> Tensor:
    """Return the head's scores, `(N,)`, of `(N, 28, 28)` images."""
    parts = np.array_split(images, 10)
    pieces = [head(features(normalize(torch.tensor(part), config)))[:, 0] for part in parts]
    return torch.cat(pieces)


@torch.no_grad()
def _scale(head: nn.Sequential, known: Sequence[Tensor]) -> None:
    """Scale the scores: of each kind of digit, at most REFUSED are below 0 and UNCLEAR below 1.

    `known` has the scores of each kind; REFUSED and UNCLEAR are shares.
    """
    refused, unclear = (
        min(scores.quantile(share) for scores in known) for share in (REFUSED, UNCLEAR)
    )
    last: nn.Linear = head[-1]  # type: ignore[assignment]  # as `non_digits.head` has it
    span = non_digits.CLEARLY - non_digits.A_DIGIT
    last.bias.sub_(refused).mul_(span / (unclear - refused)).add_(non_digits.A_DIGIT)
    last.weight.mul_(span / (unclear - refused))


def _fit(head: nn.Sequential, features: Tensor, wanted: Tensor) -> None:
    """Train the head on `(N, D) float16` features and `(N,)` targets, 1 for a digit."""
    optimizer = torch.optim.AdamW(head.parameters(), _RATE, weight_decay=_DECAY)
    steps = _EPOCHS * -(-len(features) // _BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    head.train()
    for _ in range(_EPOCHS):
        for chosen in torch.split(torch.randperm(len(features)), _BATCH):
            scores = head(features[chosen].float())[:, 0]
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(scores, wanted[chosen])
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
            schedule.step()
    head.eval()

"""What a network looks at: evidence, occlusion, and how little it takes to fool it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.digits import Digits
from core.experiments.course import Bars, Finding, Tiles
from core.experiments.trained import Trained

_FOOLED = 200  # test digits that are changed
_AMOUNTS = (0.0, 0.05, 0.1, 0.15, 0.2)  # of a pixel's range
_EXAMPLE_AMOUNT = 0.15
_EXAMPLES = 4  # digits that are looked at closely
_PATCH = 5  # pixels, the side of the square that covers


def findings(run: Trained, digits: Digits) -> list[Finding]:
    """Return how many digits are still read after small changes, and some digits in detail."""
    images = torch.tensor(digits.test_images[:_FOOLED]).float() / 255
    labels = torch.tensor(digits.test_labels[:_FOOLED]).long()
    ways = _gradient_signs(run, images, labels)
    random = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 2, images.shape, generator=random) * 2.0 - 1
    series = {
        "changed at random": [_right(run, images, labels, noise, by) for by in _AMOUNTS],
        "changed to fool it": [_right(run, images, labels, ways, by) for by in _AMOUNTS],
    }
    return [
        Bars(
            f"{_FOOLED} test digits, each pixel changed by a little: read correctly",
            [f"{by:.0%} of white".replace("%", " %") for by in _AMOUNTS],
            series,
        ),
        _closely(run, images, labels, ways),
    ]


def _right(run: Trained, images: Tensor, labels: Tensor, ways: Tensor, by: float) -> float:
    with torch.inference_mode():
        answers = run.logits((images + by * ways).clamp(0, 1)).argmax(dim=1)
    return float((answers == labels).float().mean())


def _gradient_signs(run: Trained, images: Tensor, labels: Tensor) -> Tensor:
    """Return the direction, -1 or 1, in which changing each pixel raises the error.

    This is the fast gradient sign method of Goodfellow, Shlens and Szegedy (2015).
    """
    given = images.clone().requires_grad_()
    F.cross_entropy(run.logits(given), labels, reduction="sum").backward()  # type: ignore[no-untyped-call]
    return torch.as_tensor(given.grad).sign()


def _closely(run: Trained, images: Tensor, labels: Tensor, ways: Tensor) -> Tiles:
    """Return the evidence and the fooling changes for some digits that the change makes misread."""
    with torch.inference_mode():
        fooled = (images + _EXAMPLE_AMOUNT * ways).clamp(0, 1)
        answers, misread = run.logits(images).argmax(1), run.logits(fooled).argmax(1)
    chosen = torch.nonzero((answers == labels) & (misread != labels))[:_EXAMPLES, 0]
    tiles, captions = [], []
    for number in chosen.tolist():
        image, label = images[number], int(labels[number])
        covered = _occlusion(run, image, label)
        tiles += [image, covered, fooled[number]]
        captions += [f"read as {label}", "covering here hurts", f"read as {int(misread[number])}"]
    return Tiles(
        "A digit, where covering it hurts the answer (light), and changed by 15 % to fool it",
        (255 * torch.stack(tiles)).round().tolist() if tiles else [],
        captions,
        6,
    )


def _occlusion(run: Trained, image: Tensor, label: int) -> Tensor:
    """Return how much covering each place lowers the answer's probability, (28, 28) in [0, 1].

    A gray square slides over the image (Zeiler and Fergus, 2014). Where squares overlap, the
    largest loss counts; the largest of all is scaled to 1.
    """
    places = [(y, x) for y in range(0, 28 - _PATCH + 1) for x in range(0, 28 - _PATCH + 1)]
    covered = image.repeat(len(places), 1, 1)
    for number, (y, x) in enumerate(places):
        covered[number, y : y + _PATCH, x : x + _PATCH] = 0.5
    with torch.inference_mode():
        whole = run.logits(image[None]).softmax(1)[0, label]
        losses = whole - run.logits(covered).softmax(1)[:, label]
    found = torch.zeros(28, 28)
    for (y, x), loss in zip(places, losses.clamp(min=0), strict=True):
        part = found[y : y + _PATCH, x : x + _PATCH]
        part.copy_(torch.maximum(part, loss))
    return found / found.max().clamp(min=1e-9)

"""Everybody's digits: who has saved some, who may see them, and how well a run reads each person's.

Everybody may evaluate runs on a person's digits, unless that person withholds them. Digits that the
machine's owner saves without giving a name are visible on that machine only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InkError
from core.evaluation import metrics
from core.jobs import limits
from core.my_digits import collection
from core.my_digits.collection import Collection
from core.runs.person import Person, Pictures

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd

SPLIT = "class digits"  # their name on the Evaluate page, besides `collection.SPLIT`
_TAG = re.compile(r"[0-9a-f]{32}", re.ASCII)
_WITHHELD = "withheld"  # a file that exists while a person withholds their digits


@dataclass(frozen=True)
class Hand:
    """A person who has saved digits: their tag, their name, and the names of the digits.

    `shelf` has the digits themselves if they are only in memory: see `Person`.
    """

    tag: str
    name: str
    digits: tuple[str, ...]
    shelf: Pictures | None = field(default=None, compare=False, repr=False)


def own(person: Person) -> Hand:
    """Return a person's own hand, which may have no digits."""
    names = collection.names(person.digits)
    return Hand(person.tag, person.name or "you", names, person.shelf)


def seen_by(person: Person) -> list[Hand]:
    """Return everybody whose digits a person may see, by name, including the person.

    In a public demo, these are only their own.
    """
    found = [own(person)]
    if collection.folder().is_dir() and not limits.is_demo():
        tags = (path.name for path in collection.folder().iterdir() if _TAG.fullmatch(path.name))
        for tag in tags:
            if tag != person.tag and not is_withheld(tag):
                found.append(Hand(tag, _name(tag), collection.names(tag)))
    return sorted((hand for hand in found if hand.digits), key=lambda hand: hand.name.casefold())


def withhold(by: Person, withheld: bool) -> None:
    """Withhold a person's digits from everybody else, or share them again. Raises InkError."""
    mark = collection.folder(by.tag) / _WITHHELD
    try:
        if withheld:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        else:
            mark.unlink(missing_ok=True)
    except OSError as error:
        raise InkError(
            f"{mark} could not be changed: {error.strerror}. Free some space, or check who owns "
            "the file."
        ) from error


def is_withheld(tag: str) -> bool:
    """Return whether a person withholds their digits."""
    return (collection.folder(tag) / _WITHHELD).exists()


def load(hands: Sequence[Hand]) -> tuple[Collection, NDArray[np.intp]]:
    """Return the digits of several people, and the number of each digit's hand, `(N,)`.

    Raises InkError if one cannot be read, or if all have been deleted.
    """
    parts = [collection.load(hand.tag if hand.shelf is None else hand.shelf) for hand in hands]
    if not any(part.names for part in parts):
        raise InkError("These digits have been deleted. Choose others.")
    together = Collection(
        tuple(name for part in parts for name in part.names),
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
    return together, np.repeat(np.arange(len(parts)), [len(part.names) for part in parts])


def table(
    hands: Sequence[Hand],
    whose: NDArray[np.intp],
    probabilities: NDArray[np.float32],
    labels: NDArray[np.uint8],
) -> "pd.DataFrame":
    """Return how well each hand is read, the worst first.

    `whose (N,)` is the number of each digit's hand, `probabilities (N, 10)` and `labels (N,)` the
    answers and the truth. Columns: `name`, `count`, `accuracy` and its 95 % interval `low`, `high`
    in [0, 1], and `mistake`, the most frequent one, as "7 → 1", or empty.
    """
    import pandas as pd

    rows = []
    for number, hand in enumerate(hands):
        own = whose == number
        if not own.any():
            continue
        matrix = metrics.confusion(probabilities[own], labels[own])
        right, count = int(np.trace(matrix)), int(own.sum())
        low, high = metrics.wilson(right, count)
        pairs = metrics.confused_pairs(matrix)
        rows.append(
            {
                "name": hand.name,
                "count": count,
                "accuracy": right / count,
                "low": low,
                "high": high,
                "mistake": ""
                if pairs.empty
                else f"{pairs['truth'].iloc[0]} → {pairs['answer'].iloc[0]}",
            }
        )
    return pd.DataFrame(rows).sort_values(["accuracy", "count"], ascending=[True, False])


def _name(tag: str) -> str:
    """Return the name that a person gave last."""
    try:
        return (collection.folder(tag) / collection.NAME_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # removed by hand, or damaged
        return "somebody"

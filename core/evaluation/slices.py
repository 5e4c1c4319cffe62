"""Accuracy by how the digits were written: where a network is weak, or weaker than another.

A slice is a fifth of the digits by one measure, such as the thinnest. The fifths are taken within
each digit, so that all five hold the same digits: otherwise the narrowest fifth would be all ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation import significance
from core.evaluation.metrics import Z_95, wilson

PARTS = 5
LEAST = 200  # images: with fewer, fifths are too small to tell anything


@dataclass(frozen=True)
class Finding:
    """A slice that differs by more than chance: its measure and its fifth, counted from 0.

    `here` and `there` are the two accuracies, in [0, 1]; `low` and `high` are an interval of their
    difference, wide enough that a finding among all slices is chance in one case of twenty.
    """

    measure: str
    part: int
    here: float
    there: float
    low: float
    high: float


def parts(values: NDArray[np.floating], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the fifth of its digit that each image is in by `values (N,)`: 0, lowest, to 4.

    Equal values are in the same fifth.
    """
    table = pd.DataFrame({"value": values, "digit": labels})
    ranks = table.groupby("digit")["value"].rank(method="average").to_numpy()
    counts = table.groupby("digit")["value"].transform("size").to_numpy()
    return np.asarray((ranks - 0.5) / counts * PARTS, np.int64)


def accuracies(
    values: NDArray[np.floating], labels: NDArray[np.uint8], right: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return a row for each fifth: `part`, `count`, `right`, `accuracy`, `low`, `high`, `mean`.

    `right (N,)` is whether each answer was right; `low` and `high` are the accuracy's 95 % Wilson
    interval in [0, 1], and `mean` is the mean of the values.
    """
    table = pd.DataFrame({"part": parts(values, labels), "right": right, "value": values})
    rows = table.groupby("part", as_index=False).agg(
        count=("right", "size"), right=("right", "sum"), mean=("value", "mean")
    )
    ends = [wilson(*pair) for pair in zip(rows["right"], rows["count"], strict=True)]
    low, high = zip(*ends, strict=True)
    return rows.assign(accuracy=rows["right"] / rows["count"], low=low, high=high)


def differences(
    values: NDArray[np.floating],
    labels: NDArray[np.uint8],
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return a row for each fifth: `part`, `count`, `here`, `there`, `difference`, `low`, `high`.

    `first` and `second` are `(N,)`: whether either of two models was right about the same images;
    `here` and `there` are their accuracies, `low` and `high` the 95 % interval of the difference.
    """
    part = parts(values, labels)
    return pd.DataFrame([_difference(number, part, first, second) for number in np.unique(part)])


def _difference(
    number: int,
    part: NDArray[np.int64],
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    z: float = Z_95,
) -> dict[str, float]:
    one, other = first[part == number], second[part == number]
    low, high = significance.difference_of_models(one, other, z)
    here, there = float(one.mean()), float(other.mean())
    return {
        "part": int(number),
        "count": len(one),
        "here": here,
        "there": there,
        "difference": here - there,
        "low": low,
        "high": high,
    }


def weakest(tables: Mapping[str, pd.DataFrame]) -> Finding | None:
    """Return the slice that is furthest below the other four fifths; None if it may be chance.

    `tables` are `accuracies` by measure. Among so many slices, one is low by chance. So the
    intervals are widened by Bonferroni's correction, and a finding's interval excludes 0.
    """
    z = _strict(sum(map(len, tables.values())))
    found = []
    for measure, table in tables.items():
        count, right = int(table["count"].sum()), int(table["right"].sum())
        for row in table.itertuples():
            others = right - int(row.right), count - int(row.count)
            if not others[1]:
                continue
            low, high = significance.difference_of_shares(
                (int(row.right), int(row.count)), others, z
            )
            if high < 0:
                there = others[0] / others[1]
                found.append(Finding(measure, int(row.part), float(row.accuracy), there, low, high))
    return min(found, key=lambda one: one.here - one.there, default=None)


def largest_difference(
    values: Mapping[str, NDArray[np.floating]],
    labels: NDArray[np.uint8],
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
) -> Finding | None:
    """Return the slice where two models differ most; None if all differences may be chance.

    `values` are `(N,)` by measure. The intervals are widened as in `weakest`.
    """
    every = {measure: parts(found, labels) for measure, found in values.items()}
    z = _strict(sum(len(np.unique(part)) for part in every.values()))
    found = []
    for measure, part in every.items():
        for number in np.unique(part):
            row = _difference(number, part, first, second, z)
            if row["low"] > 0 or row["high"] < 0:
                ends = row["low"], row["high"]
                found.append(Finding(measure, int(number), row["here"], row["there"], *ends))
    return max(found, key=lambda one: abs(one.here - one.there), default=None)


def _strict(looks: int) -> float:
    """Return the z at which, of `looks` intervals, any misses the truth in one case of twenty."""
    return NormalDist().inv_cdf(1 - significance.LEVEL / 2 / max(looks, 1))


def examples(
    values: NDArray[np.floating], labels: NDArray[np.uint8], digit: int
) -> NDArray[np.int64]:
    """Return the median image of a digit in each fifth, `(5,)` indices; -1 if there is none."""
    part = parts(values, labels)
    chosen = np.full(PARTS, -1, np.int64)
    for number in range(PARTS):
        inside = np.flatnonzero((part == number) & (labels == digit))
        if len(inside):
            chosen[number] = inside[np.argsort(values[inside], kind="stable")[len(inside) // 2]]
    return chosen

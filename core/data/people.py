"""Handwritten digits as pen strokes, read from a file of JSON lines.

A line is an object with `label`, 0 to 9, `writer`, a text, and `strokes`, lists of `[x, y]` with y
pointing up.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DataError

Strokes = list[NDArray[np.float64]]  # of one digit, each (N, 2) points (x, y), y pointing down


@dataclass(frozen=True, eq=False)
class PenDigit:
    """One handwritten digit: its label, its writer and its strokes."""

    label: int
    writer: str
    strokes: Strokes


def read_strokes(path: Path) -> list[PenDigit]:
    """Return the digits of a file. Raises DataError that names the invalid line."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Name a file of JSON lines.") from error
    return [_digit(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def _digit(line: str, place: str) -> PenDigit:
    try:
        content = json.loads(line)
        label, writer = content["label"], str(content["writer"])
        strokes = [np.array(stroke, np.float64) * (1, -1) for stroke in content["strokes"]]
        if not (type(label) is int and 0 <= label <= 9 and strokes):
            raise ValueError
        if not all(stroke.shape[1:] == (2,) and np.isfinite(stroke).all() for stroke in strokes):
            raise ValueError
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{place} is not a digit: it needs label, writer and strokes of [x, y]. Correct "
            "or delete it."
        ) from error
    return PenDigit(label, writer, strokes)


def held_out(
    digits: Sequence[PenDigit], share: float, seed: int
) -> tuple[list[PenDigit], list[PenDigit]]:
    """Split digits by writer: return the rest, and those of a random `share` of the writers."""
    writers = sorted({digit.writer for digit in digits})
    count = max(1, round(share * len(writers)))
    chosen = set(np.random.default_rng(seed).permutation(writers)[:count].tolist())
    return (
        [digit for digit in digits if digit.writer not in chosen],
        [digit for digit in digits if digit.writer in chosen],
    )


def writer_weights(digits: Sequence[PenDigit]) -> NDArray[np.float64]:
    """Return `(N,)` weights of the digits, with sum 1, that give every writer the same weight."""
    counts = Counter(digit.writer for digit in digits)
    weights = np.array([1 / counts[digit.writer] for digit in digits])
    return np.asarray(weights / weights.sum())

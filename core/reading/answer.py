"""A network's answer in words and as JSON, for the Draw page and for other programs."""

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

from core.ink.normalization import Digit

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reading


def answer(digits: Sequence[Digit], readings: "Sequence[Reading]") -> dict[str, Any]:
    """Return a network's answer to digits in reading order, as values for JSON.

    `says` is the answer in words. `doubts` says which of several digits are unsure, and is empty
    for a single digit. A digit's `box` is in the units of `Digit`, and its `image` is the data URL
    of a 28 × 28 PNG, white on black.
    """
    return {
        "says": in_words(digits, readings),
        "doubts": doubts(readings) if len(digits) > 1 else "",
        "digits": [
            {
                "digit": read.digit,
                "confidence": read.confidence,
                "sure": read.sure,
                "looks_like_a_digit": read.looks_like_a_digit,
                "candidates": read.candidates,
                "probabilities": read.probabilities.tolist(),
                "box": digit.box,
                "image": _data_url(digit),
            }
            for digit, read in zip(digits, readings, strict=True)
        ],
    }


def in_words(
    digits: Sequence[Digit], readings: "Sequence[Reading]", truth: int | None = None
) -> str:
    """Return the answer in words: for several digits, the number that each row forms.

    For one digit, it has the candidates if the answer is not sure, and the label `truth` if known.
    """
    if len(digits) == 1:
        return _one_in_words(readings[0], truth)
    rows = [""] * (1 + max(digit.row for digit in digits))
    for digit, read in zip(digits, readings, strict=True):
        rows[digit.row] += str(read.digit)
    return f"This looks like {', '.join(rows)}"


def doubts(readings: "Sequence[Reading]") -> str:
    """Return which of several digits are unsure, and what they may be."""
    unsure = [
        f"digit {place}: " + (_left_open(read) if read.looks_like_a_digit else "may not be a digit")
        for place, read in enumerate(readings, 1)
        if not read.sure
    ]
    return f"Not sure of {', '.join(unsure)}." if unsure else "Sure of each digit."


def share(part: float) -> str:
    """Return a confidence of 0.9834 as 98.3 %; below 1, never as 100 %."""
    return "over 99.9 %" if 0.9995 <= part < 1 else f"{part:.1%}".replace("%", " %")


def _one_in_words(read: "Reading", truth: int | None) -> str:
    if truth is None and not read.looks_like_a_digit:
        text = f"This may not be a digit. If it is one: {_either(read.candidates)}."
    elif not read.judged:
        text = (
            f"Probably a {read.digit} ({share(read.confidence)}). How reliable this network is, "
            "is not known."
        )
    elif read.sure:
        text = f"This looks like a {read.digit} ({share(read.confidence)})."
    else:
        text = f"Not sure: {_left_open(read)}."
    known = "" if truth is None else " Right." if read.digit == truth else f" It is a {truth}."
    return text + known


def _left_open(read: "Reading") -> str:
    """Return the candidates of an unsure reading; if there is only one, say why it is unsure."""
    alone = " (drawn in an unusual way)" if len(read.candidates) == 1 else ""
    return _either(read.candidates) + alone


def _either(candidates: Sequence[int]) -> str:
    """Return (4, 7, 9) as 4, 7 or 9, and (4,) as 4."""
    *others, last = map(str, candidates)
    return f"{', '.join(others)} or {last}" if others else last


def _data_url(digit: Digit) -> str:
    file = io.BytesIO()
    Image.fromarray((digit.image * 255).round().astype("uint8")).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

"""Format numbers for display, and escape users' text."""

import math
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reading


def percent(share: float | None) -> str:
    """Return 0.9931 as 99.31 %, and None as a dash."""
    return "–" if share is None or math.isnan(share) else f"{share:.2%}".replace("%", " %")


def duration(seconds: float | None) -> str:
    """Return 14.2 as 14 s, 125 as 2 min 05 s, 3725 as 1 h 02 min, and None as a dash."""
    if seconds is None or math.isnan(seconds):
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def count(number: int | None) -> str:
    """Return 421834 as 421,834, and None as a dash."""
    return "–" if number is None else f"{number:,}"


def moment(since_1970: float) -> str:
    """Return a time as 22 Nov, 14:05."""
    return time.strftime("%d %b, %H:%M", time.localtime(since_1970))


def interval(low: float, high: float) -> str:
    """Return 0.9913 and 0.9946 as 99.13–99.46 %."""
    return f"{100 * low:.2f}–{100 * high:.2f} %"


# Places where Streamlit converts plain text in spite of a backslash: an address to a link, `:name:`
# to an icon, `--` and `->` to a dash and an arrow. An invisible character there prevents it.
_JOINER = "\u2060"
_JOINED = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)


def plain(text: str) -> str:
    """Return untrusted text escaped, so that Markdown shows it literally on one line."""
    return _escaped(" ".join(text.split()))


def message(error: Exception | str) -> str:
    """Return an error's message escaped, so that Markdown shows it literally, with line breaks."""
    return "  \n".join(_escaped(line.strip()) for line in str(error).splitlines() if line.strip())


def _escaped(text: str) -> str:
    text = _JOINED.sub(_JOINER, text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~$:<>&=" else c for c in text)


def cell(text: str) -> str:
    """Return a user's text for a CSV file, so that no spreadsheet runs it as a formula."""
    return (
        f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
    )


def file_name(text: str) -> str:
    """Return a user's text as part of a file name that is valid on any system."""
    return re.sub(r"[^\w .()-]+", "_", text).strip(" .") or "run"


def share(part: float) -> str:
    """Return a confidence of 0.9834 as 98.3 %; below 1, never as 100 %."""
    return "over 99.9 %" if 0.9995 <= part < 1 else f"{part:.1%}".replace("%", " %")


def either(candidates: Sequence[int]) -> str:
    """Return (4, 7, 9) as 4, 7 or 9, and (4,) as 4."""
    *others, last = map(str, candidates)
    return f"{', '.join(others)} or {last}" if others else last


def reading(read: "Reading", truth: int | None = None) -> str:
    """Return the reading in words, with the candidates if it is not sure, and the known truth."""
    if truth is None and not read.looks_like_a_digit:
        text = f"This may not be a digit. If it is one: {either(read.candidates)}."
    elif len(read.candidates) == 1:
        text = f"This looks like a {read.digit} ({share(read.confidence)})."
    else:
        text = f"Not sure: {either(read.candidates)}."
    known = "" if truth is None else " Right." if read.digit == truth else f" It is a {truth}."
    return text + known


def several(rows: Sequence[int], read: "Sequence[Reading]") -> str:
    """Return in words the number that each row of digits forms; `rows` has each digit's row."""
    numbers = [""] * (1 + max(rows))
    for row, one in zip(rows, read, strict=True):
        numbers[row] += str(one.digit)
    return f"This looks like {', '.join(numbers)}"

"""Numbers as people say them, and people's own text as they wrote it."""

import math
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.reader import Reading


def percent(share: float | None) -> str:
    """Return 0.9931 as 99.31 %, and nothing as a dash."""
    return "–" if share is None or math.isnan(share) else f"{share:.2%}".replace("%", " %")


def duration(seconds: float | None) -> str:
    """Return 14.2 as 14 s, 125 as 2 min 05 s, 3725 as 1 h 02 min, and nothing as a dash."""
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
    """Return 421834 as 421,834, and nothing as a dash."""
    return "–" if number is None else f"{number:,}"


def moment(since_1970: float) -> str:
    """Return a moment as 22 Nov, 14:05."""
    return time.strftime("%d %b, %H:%M", time.localtime(since_1970))


def interval(low: float, high: float) -> str:
    """Return 0.9913 and 0.9946 as 99.13–99.46 %."""
    return f"{100 * low:.2f}–{100 * high:.2f} %"


# Where Streamlit would make something of bare text even after a backslash: a link of an address, a
# picture of `:name:`, a dash or an arrow of `--` and `->`. An unseen character there prevents it.
_JOINER = "\u2060"
_JOINED = re.compile(r"(?<=[:@])(?=\S)|(?<=www)(?=\.)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE)


def plain(text: str) -> str:
    """Return any text that is not ours so that Markdown shows it as it is, on one line."""
    return _escaped(" ".join(text.split()))


def message(error: Exception | str) -> str:
    """Return what an error says so that Markdown shows it as it is, with its line breaks."""
    return "  \n".join(_escaped(line.strip()) for line in str(error).splitlines() if line.strip())


def _escaped(text: str) -> str:
    text = _JOINED.sub(_JOINER, text)
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~$:<>&=" else c for c in text)


def cell(text: str) -> str:
    """Return a person's text so that no spreadsheet takes it for a formula."""
    return (
        f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
    )


def file_name(text: str) -> str:
    """Return a person's text as a part of a file's name, on any system."""
    return re.sub(r"[^\w .()-]+", "_", text).strip(" .") or "run"


def share(part: float) -> str:
    """Return a confidence of 0.9834 as 98.3 %; nothing short of certainty is called 100 %."""
    return "over 99.9 %" if 0.9995 <= part < 1 else f"{part:.1%}".replace("%", " %")


def either(candidates: Sequence[int]) -> str:
    """Return (4, 7, 9) as 4, 7 or 9, and (4,) as 4."""
    *others, last = map(str, candidates)
    return f"{', '.join(others)} or {last}" if others else last


def reading(read: "Reading", truth: int | None = None) -> str:
    """Return what was read, as far as the network is sure, and the truth where it is known."""
    if truth is None and not read.looks_like_a_digit:
        text = f"This may not be a digit. If it is one: {either(read.candidates)}."
    elif len(read.candidates) == 1:
        text = f"This looks like a {read.digit} ({share(read.confidence)})."
    else:
        text = f"Not sure: {either(read.candidates)}."
    known = "" if truth is None else " Right." if read.digit == truth else f" It is a {truth}."
    return text + known

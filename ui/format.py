"""Format numbers for display, and escape users' text."""

import math
import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pages that show no runs do without
    from core.runs.settings import Spread


def percent(share: float | None) -> str:
    """Return 0.9931 as 99.31 %, and None as a dash."""
    return "–" if share is None or math.isnan(share) else f"{share:.2%}".replace("%", " %")


def spread(found: "Spread | None") -> str:
    """Return 99.24 ± 0.05 %, the mean and standard deviation; of one number, that alone."""
    if found is None or found.deviation is None:
        return percent(found.mean if found else None)
    return f"{100 * found.mean:.2f} ± {100 * found.deviation:.2f} %"


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

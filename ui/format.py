"""Format numbers for display, and escape users' text."""

import re
import time

from core.runs.formatting import count as count
from core.runs.formatting import counted as counted
from core.runs.formatting import duration as duration
from core.runs.formatting import interval as interval
from core.runs.formatting import percent as percent
from core.runs.formatting import spread as spread


def moment(since_1970: float) -> str:
    """Return a time as 22 Nov, 14:05."""
    return time.strftime("%d %b, %H:%M", time.localtime(since_1970))


# Streamlit converts some text despite a backslash: an address to a link, `:name:` to an icon, `--`
# and `->` to a dash and an arrow. An invisible character in these places prevents it.
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


def unbroken(text: str) -> str:
    """Return a text with non-breaking spaces before each %, so that no line begins with it."""
    return text.replace(" %", "\u00a0%")


def cell(text: str) -> str:
    """Return a user's text for a CSV file, so that no spreadsheet runs it as a formula."""
    return (
        f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
    )


def file_name(text: str) -> str:
    """Return a user's text as part of a file name that is valid on any system."""
    return re.sub(r"[^\w .()-]+", "_", text).strip(" .") or "run"

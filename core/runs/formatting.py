"""Format a run's numbers for people, on pages and in reports."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pages that show no runs do not load it
    from core.runs.settings import Spread


def percent(share: float | None) -> str:
    """Return 0.9931 as 99.31 %, and None as a dash."""
    return "–" if share is None or math.isnan(share) else f"{share:.2%}".replace("%", " %")


def spread(found: "Spread | None") -> str:
    """Return a mean and standard deviation as 99.24 ± 0.05 %; for one run, the mean alone."""
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


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which gets an s in the plural: 1 image, 1,200 images."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def interval(low: float, high: float) -> str:
    """Return 0.9913 and 0.9946 as 99.13–99.46 %."""
    return f"{100 * low:.2f}–{100 * high:.2f} %"

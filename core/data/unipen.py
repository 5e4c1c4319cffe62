"""Read pen digits from UNIPEN's text files (Guyon et al., 1994); only what digits need is read.

A line that begins with a dot is a keyword; points follow `.PEN_DOWN`, one a line, in the order of
columns that `.COORD` names, y pointing up. Strokes are counted from 0 by `.PEN_DOWN`, through all
files included. `.SEGMENT CHARACTER 12:3-14:5 ? "7"` says that the points from the third of stroke
12 to the fifth of stroke 14, counted from 0, are a 7; `73` and `169-170` are whole strokes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.people import PenDigit, Strokes
from core.errors import DataError

MAX_BYTES = 64_000_000  # of one file; the largest of the published collection has 20 MB
MAX_DEPTH = 8  # of files that include files
_SEGMENT = re.compile(r'\.SEGMENT\s+CHARACTER\s+(\S+)\s+\S+\s+"([0-9])"\s*$')
_PART = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?")


def read_unipen(path: Path, root: Path | None = None) -> list[PenDigit]:
    """Return the digits of a file and of those that it includes.

    Paths in `.INCLUDE` are relative to `root`, by default the file's own folder. The writer is the
    last `.WRITER_ID` before a segment, or else the file's name. Raises DataError if a file
    cannot be read, is outside `root`, or has an invalid line.
    """
    root = (root or path.parent).resolve()
    columns, writer = ["X", "Y"], path.stem
    strokes: list[list[list[float]]] = []
    segments: list[tuple[str, int, str]] = []
    down = False
    for line, place in _lines(path, root, 0):
        keyword, _, rest = line.partition(" ")
        if not line.startswith("."):
            if down:
                strokes[-1].append(_point(line, columns, place))
        elif keyword == ".COORD":
            columns = rest.split()
        elif keyword == ".PEN_DOWN":
            down = True
            strokes.append([])
        elif keyword in (".PEN_UP", ".DT"):
            down = False
        elif keyword == ".WRITER_ID":
            writer = rest.strip() or writer
        elif match := _SEGMENT.match(line):
            segments.append((match[1], int(match[2]), writer))
    drawn = [np.array(stroke, np.float64).reshape(-1, 2) * (1, -1) for stroke in strokes]
    digits = (PenDigit(label, name, _part(drawn, text)) for text, label, name in segments)
    return [digit for digit in digits if digit.strokes]


def _lines(path: Path, root: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the non-empty lines, with file and number; included files are read in place."""
    if depth > MAX_DEPTH or not path.resolve().is_relative_to(root):
        raise DataError(f"{path} is included too deeply, or is outside {root}. Correct the files.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB. Split it.")
        content = path.read_text(encoding="latin-1")  # comments are in several languages
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Check its name.") from error
    for number, line in enumerate(content.splitlines(), 1):
        text = " ".join(line.split())
        if text.startswith(".INCLUDE"):
            yield from _lines(root / text.removeprefix(".INCLUDE").strip(), root, depth + 1)
        elif text:
            yield text, f"{path}, line {number}"


def _point(line: str, columns: list[str], place: str) -> list[float]:
    try:
        values = dict(zip(columns, map(float, line.split()), strict=False))
        return [values["X"], values["Y"]]
    except (KeyError, ValueError) as error:
        raise DataError(f"{place} is not a point: {line[:40]!r}. Correct the file.") from error


def _part(strokes: list[NDArray[np.float64]], text: str) -> Strokes:
    """Return the existing strokes, or parts of strokes, that a segment names."""
    found = []
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            continue
        first, start, last, end = (None if one is None else int(one) for one in match.groups())
        last = first if last is None else last
        for number in range(first or 0, min((last or 0) + 1, len(strokes))):
            begin = start if number == first else None
            stop = None if end is None or number != last else end + 1
            found.append(strokes[number][begin:stop])
    return [stroke for stroke in found if len(stroke)]

"""How well a run reads people it never saw, writer by writer: as strokes, and at several pens."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import percent, table
from core.data.people import read_strokes
from core.errors import InkError
from core.ink.normalization import Digit
from core.ink.photo import from_picture
from core.ink.strokes import from_strokes
from core.reading.reader import Reader
from core.training.handwriting import on_canvas, picture

FILES = ("unipen-dev", "dev")  # in DIGITLAB_DATA/pen, for measuring only
PENS = (None, 10, 18, 26)  # pixels; None: as strokes


def one(found: list[Digit]) -> NDArray[np.float32]:
    """Return the only digit found; an empty image where there is none or are several."""
    return found[0].image if len(found) == 1 else np.zeros((28, 28), np.float32)


def prepared(strokes: list[NDArray[np.float64]], pen: int | None) -> NDArray[np.float32]:
    """Return the (28, 28) that the app makes of strokes, or of their picture at a pen."""
    try:
        return one(from_strokes(strokes) if pen is None else from_picture(picture(strokes, pen)))
    except InkError:
        return one([])


def by_writer(reader: Reader, path: Path) -> dict[str, Any]:
    """Return a row for each way in: shares in [0, 1], over digits, over writers, of the worst."""
    digits = read_strokes(path)
    labels = np.array([digit.label for digit in digits])
    writers = np.array([digit.writer for digit in digits])
    rows = {}
    for pen in PENS:
        images = np.stack([prepared(on_canvas(digit.strokes), pen) for digit in digits])
        read = reader.readings(images)
        right = np.array([one.digit for one in read]) == labels
        sure = np.array([one.sure for one in read])
        each = [float(right[writers == writer].mean()) for writer in np.unique(writers)]
        rows["strokes" if pen is None else f"picture, pen {pen} px"] = {
            "count": len(digits),
            "writers": len(each),
            "right": float(right.mean()),
            "mean over writers": float(np.mean(each)),
            "worst writer": min(each),
            "refused": float(np.mean([not one.looks_like_a_digit for one in read])),
            "sure": float(sure.mean()),
            "wrong of sure": float((~right & sure).sum() / max(sure.sum(), 1)),
        }
    return rows


def show(measured: dict[str, dict[str, Any]]) -> str:
    """Return the table of all files."""
    columns = ("right", "mean over writers", "worst writer", "refused", "sure", "wrong of sure")
    rows = [["people", "digits", "writers", "way in", *columns]]
    for name, ways in measured.items():
        for way, row in ways.items():
            shares = [percent(row[column]) for column in columns]
            rows.append([name, f"{row['count']:,}", str(row["writers"]), way, *shares])
    return table(rows)

"""All files of a run's export, as a folder or as a ZIP.

Each of PARTS makes one file from a `Source`, or none if the run has no such thing; the card, which
lists the others, is made last. A run always gives the same bytes, from a page or the command line.
"""

import io
import threading
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from core.errors import RunError, StoreError
from core.export import card, onnx, report, script, source, weights
from core.export.source import Source
from core.export.standalone import standalone
from core.export.terms import File
from core.runs.run import Run
from core.whole import write_whole

PREDICT = "predict.py"
_PATIENCE = 30.0  # seconds to wait while others export
_ONE_AT_A_TIME = threading.Lock()  # an export takes seconds of a processor and 300 MB
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can store


def _predict(source: Source) -> File:
    content = standalone("core.export.predict").encode()
    return File(PREDICT, content, "reads the digits in pictures with model.onnx")


PARTS: tuple[Callable[[Source], File | None], ...] = (
    *(onnx.file, weights.file, _predict),
    *(script.file, report.file),
)


def files(run: Run) -> list[File]:
    """Return the files of a run's export.

    Raises RunError if the run is in progress or has no network, or if others keep exporting;
    CheckpointError if its weights are damaged.
    """
    if not _ONE_AT_A_TIME.acquire(timeout=_PATIENCE):
        raise RunError("Others are exporting their runs right now. Try again in half a minute.")
    try:
        opened = source.of(run)
        made = [one for part in PARTS if (one := part(opened))]
        return [*made, card.file(opened, made)]
    finally:
        _ONE_AT_A_TIME.release()


def packed(made: list[File]) -> bytes:
    """Return the files as a ZIP, with the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for one in made:
            entry = zipfile.ZipInfo(one.name, _DATE)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, one.content)
    return buffer.getvalue()


def write(made: list[File], folder: Path) -> None:
    """Write the files to a folder; create it if it does not exist. Raises StoreError.

    Each file is written whole or not at all, and replaces one of the same name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in made:
            write_whole(folder / one.name, partial(Path.write_bytes, data=one.content))
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be written: {error.strerror}. Give another one with --to."
        ) from error

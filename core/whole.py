"""Write a file completely or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

from core.errors import StoreError


def write_whole(path: Path, save: Callable[[Path], object], unwritten: str) -> None:
    """Write a file completely or not at all. Raises StoreError that begins with `unwritten`."""
    partial = path.with_name(f"{path.name}-{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save(partial)
        partial.replace(path)
    except OSError as error:
        raise StoreError(
            f"{unwritten}: {error.strerror}. Free some space, or set DIGITLAB_RUNS to another "
            "folder."
        ) from error

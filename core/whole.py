"""Write a file completely or not at all."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.errors import StoreError, UserError


def write_whole(path: Path, save: Callable[[Path], object]) -> None:
    """Write a file completely or not at all, even if others write it at the same time.

    `save` writes it under a temporary name in the same folder; then it is renamed. If either fails,
    an earlier file stays as it was, nothing else is left, and the error is raised.
    """
    partial = path.with_name(f"{path.name}-{secrets.token_hex(4)}.partial")
    try:
        save(partial)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def store_whole(
    path: Path,
    save: Callable[[Path], object],
    unwritten: str,
    error: type[UserError] = StoreError,
) -> None:
    """Write a file below DIGITLAB_RUNS with `write_whole`; its folder is created.

    Without space or permission, raises `error` with a message that begins with `unwritten`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, save)
    except OSError as caused:
        raise error(
            f"{unwritten}: {caused.strerror}. Free some space, or set DIGITLAB_RUNS to another "
            "folder."
        ) from caused

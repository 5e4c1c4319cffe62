"""The download of the full MNIST: verified, then moved into place at once."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.data.mnist import FILES, directory, read
from core.errors import DataError

DOWNLOAD_BYTES = 66_500_000  # the four archives and what they unpack to, for the progress bar
_PARTIAL = ".download-"


def fetch() -> None:
    """Download MNIST through torchvision, verify it, and move it into `directory()` at once.

    Raises DataError if it cannot be fetched; what was there before stays as it was.
    """
    with partial() as folder:
        from torchvision.datasets import MNIST  # takes 2 s and 170 MB

        try:
            MNIST(str(folder), download=True)
        except Exception as error:  # torchvision raises whatever its transport does
            reason = " ".join(str(error).split())  # it writes several lines
            raise DataError(
                f"MNIST could not be downloaded. Check the network and try again. {reason}"
            ) from error
        for name, _, _ in FILES.values():
            for archive in (folder / "MNIST" / "raw").glob(f"{name}.gz"):
                archive.unlink()
        read(folder / "MNIST" / "raw")
        target = directory() / "MNIST"
        if target.exists():
            shutil.move(target, folder / "replaced")
        shutil.move(folder / "MNIST", target)


@contextmanager
def partial() -> Iterator[Path]:
    """Give a temporary folder beside the data for a download; it is removed at the end."""
    try:
        directory().mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=directory())
    except OSError as error:
        raise DataError(
            f"{directory()} cannot be written: {error.strerror}. Point DIGITLAB_DATA at a folder "
            "that can."
        ) from error
    with temporary as folder:
        yield Path(folder)


def progress() -> float:
    """Return the share of a download in progress that has arrived, in [0, 1]; 0 without one."""
    size = 0
    for path in directory().glob(f"{_PARTIAL}*/**/*ubyte*"):
        with suppress(FileNotFoundError):  # moved or removed since it was listed
            size += path.stat().st_size
    return min(size / DOWNLOAD_BYTES, 1.0)

"""Download the full MNIST: verify it, then move it into place in one step."""

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
    """Download MNIST through torchvision, verify it, and move it into `directory()`.

    Raises DataError if the download fails; the earlier files then remain unchanged.
    """
    with partial() as folder:
        from torchvision.datasets import MNIST  # takes 2 s and 170 MB

        try:
            MNIST(str(folder), download=True)
        except Exception as error:  # torchvision passes on any error of its transport
            reason = " ".join(str(error).split())  # its messages have several lines
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
    """Yield a temporary folder beside the data for a download; delete it at the end."""
    try:
        directory().mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=directory())
    except OSError as error:
        raise DataError(
            f"{directory()} cannot be written: {error.strerror}. Set DIGITLAB_DATA to a folder "
            "that can be written."
        ) from error
    with temporary as folder:
        yield Path(folder)


def progress() -> float:
    """Return the share of the current download that has arrived, in [0, 1]; 0 without one."""
    size = 0
    for path in directory().glob(f"{_PARTIAL}*/**/*ubyte*"):
        with suppress(FileNotFoundError):  # moved or removed since it was listed
            size += path.stat().st_size
    return min(size / DOWNLOAD_BYTES, 1.0)

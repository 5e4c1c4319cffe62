"""A process of ours, started so that it outlives the one that started it, and what code it runs."""

import json
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("torch", "torchvision", "numpy", "mlflow-skinny")


def launch(
    module: str,
    *arguments: str,
    environment: dict[str, str],
    stdin: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    died: Callable[[], None] = lambda: None,
) -> "subprocess.Popen[bytes]":
    """Run one of our modules, `python -m module arguments`, in a session of its own.

    `died` is called, in a thread, if it ends by a signal or with a status other than 0 and 2.
    """
    process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own modules, a run's id
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env=environment,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )

    def attend() -> None:
        # Somebody has to take note of its end, or it stays in the process table as a zombie.
        if process.wait() not in (0, 2):
            died()

    threading.Thread(target=attend, daemon=True).start()
    return process


@lru_cache(maxsize=1)
def code() -> dict[str, str]:
    """Return the `commit` and, as JSON, the `versions` of what this process runs.

    The commit is followed by + if files were changed, and is empty outside git. They are those of
    the first call: the files may change while the process runs.
    """
    installed = {name: version(name) for name in _PACKAGES}
    versions = {"python": platform.python_version(), **installed}
    return {"commit": _commit(), "versions": json.dumps(versions)}


def _commit() -> str:
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],  # noqa: S607
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()

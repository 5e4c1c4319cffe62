"""Start one of our modules as a detached process, and identify the code that runs."""

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

from core.errors import RunError, UserError

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
    """Run one of our modules, `python -m module arguments`, detached from this process.

    `died` is called in a thread if a signal ends it, or its exit status is neither 0 nor 2. If it
    cannot be started, for want of memory or of room for processes, `died` is called and RunError
    raised.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # our interpreter, our modules, a run's id
            [sys.executable, "-m", module, *arguments],
            cwd=_ROOT,
            env=environment,
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        died()
        raise RunError(
            f"No process could be started: {error.strerror}. Close other programs, and try again."
        ) from error

    def wait() -> None:
        # A child that nobody waits for stays in the process table as a zombie.
        if process.wait() not in (0, 2):
            died()

    threading.Thread(target=wait, daemon=True).start()
    return process


def status_of(work: Callable[[], object]) -> int:
    """Do a process's work; return its exit status: 0, or 2 with a UserError's message on stderr."""
    try:
        work()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


@lru_cache(maxsize=1)
def code() -> dict[str, str]:
    """Return the git `commit` and, as JSON, the package `versions` that this process runs.

    The commit ends in + if files were changed since, and is empty outside git. Both are read on
    the first call and cached, because the files may change while the process runs.
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

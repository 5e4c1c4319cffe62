"""A process of ours, started so that it outlives the one that started it."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]


def launch(
    module: str,
    *arguments: str,
    environment: dict[str, str],
    stdin: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Run one of our modules, `python -m module arguments`, in a session of its own."""
    process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own modules, a run's id
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env=environment,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )
    # Somebody has to take note of its end, or it stays in the process table as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return process

"""A process that has loaded everything before there is a run for it.

Loading takes seconds: PyTorch, its optimisers, MLflow. The server keeps one spare process while
somebody looks at the settings, and hands it the next run. It does that one run, as `python -m core
train --resume RUN` would, and ends; without a run, it ends with the server.
"""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO


class _Spare:
    """One process, loading or loaded, for a run in an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process = launch(["core.spare"], environment, stdin=subprocess.PIPE)

    def fits(self, environment: dict[str, str]) -> bool:
        """Whether it lives, and sees what a process started in `environment` would."""
        return self._process.poll() is None and self._environment == environment

    def release(self, run_id: str = "") -> bool:
        """Let it do a run, or end without one. False if it is dead."""
        try:
            with self._process.stdin as orders:  # type: ignore[union-attr]  # a pipe, as asked
                orders.write(run_id.encode())
        except BrokenPipeError:
            return False
        return True


_lock = threading.Lock()
_spares: list[_Spare] = []  # one at most


def prepare(environment: dict[str, str]) -> None:
    """Have a spare process ready, or on its way, for a run in this environment."""
    with _lock:
        if _spares and not _spares[0].fits(environment):
            _spares.pop().release()
        if not _spares:
            _spares.append(_Spare(environment))


def take(run_id: str, environment: dict[str, str]) -> bool:
    """Give a run to the spare process. False if there is none for it."""
    with _lock:
        return bool(_spares) and _spares[0].fits(environment) and _spares.pop().release(run_id)


def launch(
    module: list[str],
    environment: dict[str, str],
    stdin: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Start one of our modules, with arguments, in a process that outlives this one."""
    process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own modules, a run's id
        [sys.executable, "-m", *module],
        cwd=Path(__file__).parent.parent,
        env=environment,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )
    # Somebody has to take note of its end, or it stays in the process table as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def _load() -> None:
    """Load what a training needs, short of its digits. Raises StoreError."""
    import torch
    from torch.utils import tensorboard  # noqa: F401

    from core import results, train, worker  # noqa: F401
    from core.store import connect

    torch.optim.SGD([torch.zeros(1, requires_grad=True)]).step()  # the first step loads more
    with connect():
        pass


def main() -> int:
    """Load, wait for a run's id on standard input, and do that run."""
    from core import __main__, worker
    from core.run import folder_of

    gc.disable()  # as the command line does, until it trains
    _load()
    run_id = sys.stdin.read()
    if not run_id:
        return 0
    with (folder_of(run_id) / worker.LOG).open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    return __main__.main(["train", "--resume", run_id])


if __name__ == "__main__":
    sys.exit(main())

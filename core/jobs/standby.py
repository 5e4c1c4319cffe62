"""A process that has loaded everything before there is a run for it.

Loading takes seconds: PyTorch, its optimisers, MLflow. The server keeps one process on standby
while somebody looks at the settings, and hands it the next run. It does that one run, as
`core.jobs.worker` would, and ends; without a run, it ends with the server.
"""

import gc
import os
import subprocess
import sys
import threading

from core.jobs import process


class _Standby:
    """One process, loading or loaded, for a run in an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process = process.launch(
            "core.jobs.standby", environment=environment, stdin=subprocess.PIPE
        )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def fits(self, environment: dict[str, str]) -> bool:
        """Return whether it lives, and sees what a process started in `environment` would."""
        return self._process.poll() is None and self._environment == environment

    def order(self, run_id: str = "") -> bool:
        """Let it do a run, or end without one. False if it is dead."""
        try:
            with self._process.stdin as orders:  # type: ignore[union-attr]  # a pipe, as asked
                orders.write(run_id.encode())
        except BrokenPipeError:
            return False
        return True


_lock = threading.Lock()
_waiting: list[_Standby] = []  # one at most


def prepare(environment: dict[str, str]) -> None:
    """Have a process ready, or on its way, for a run in this environment."""
    with _lock:
        if _waiting and not _waiting[0].fits(environment):
            _waiting.pop().order()
        if not _waiting:
            _waiting.append(_Standby(environment))


def take(run_id: str, environment: dict[str, str]) -> bool:
    """Give a run to the process on standby. False if there is none for it."""
    with _lock:
        return bool(_waiting) and _waiting[0].fits(environment) and _waiting.pop().order(run_id)


def release() -> None:
    """Let the process on standby end, and its memory be free."""
    with _lock:
        while _waiting:
            _waiting.pop().order()


def _load() -> None:
    """Load what a training needs, short of its digits. Raises StoreError."""
    import torch
    from torch.utils import tensorboard  # noqa: F401

    from core.runs import answers  # noqa: F401
    from core.runs.store import connect
    from core.training import loop  # noqa: F401

    torch.optim.SGD([torch.zeros(1, requires_grad=True)]).step()  # the first step loads more
    with connect():
        pass


def main() -> int:
    """Load, wait for a run's id on standard input, and do that run."""
    from core.jobs import worker
    from core.runs.files import LOG
    from core.runs.run import folder_of

    gc.disable()  # as the worker does, until it trains
    _load()
    run_id = sys.stdin.read()
    if not run_id:
        return 0
    with (folder_of(run_id) / LOG).open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    return worker.main(run_id)


if __name__ == "__main__":
    sys.exit(main())

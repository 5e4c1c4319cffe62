"""A process that has loaded everything before there is a run for it.

Loading takes seconds: PyTorch, its optimisers, MLflow. The server keeps one process on standby
while somebody looks at the settings, and hands it the next run. It does that one run, as
`core.jobs.worker` would, and ends. Without a run, it ends when nobody has looked for some minutes,
and with the server, however that ends: the pipe through which it gets its run is closed then.
"""

import gc
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from core.errors import UserError
from core.jobs import process

_UNUSED = 300.0  # seconds after which a process that nobody asked for again is let go


class _Standby:
    """One process, loading or loaded, for a run in an environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._died: Callable[[], None] = lambda: None
        self._process = process.launch(
            "core.jobs.standby",
            environment=environment,
            stdin=subprocess.PIPE,
            died=lambda: self._died(),
        )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def fits(self, environment: dict[str, str]) -> bool:
        """Return whether it lives, and sees what a process started in `environment` would."""
        return self._process.poll() is None and self._environment == environment

    def order(self, run_id: str = "", died: Callable[[], None] = lambda: None) -> bool:
        """Let it do a run, or end without one. False if it is dead; `died` is called later on."""
        try:
            with self._process.stdin as orders:  # type: ignore[union-attr]  # a pipe, as asked
                orders.write(run_id.encode())
        except BrokenPipeError:
            return False
        self._died = died
        return True

    def disown(self) -> None:
        """Close our end of its pipe, in a process that was forked from ours."""
        os.close(self._process.stdin.fileno())  # type: ignore[union-attr]  # a pipe, as asked


_lock = threading.Lock()
_waiting: list[_Standby] = []  # one at most
_timers: list[threading.Timer] = []  # one at most, to let it go


def _disown() -> None:
    for one in _waiting:
        one.disown()


if hasattr(os, "register_at_fork"):  # a forked process would hold the pipe open after the server
    os.register_at_fork(after_in_child=_disown)


def prepare(environment: dict[str, str]) -> None:
    """Have a process ready, or on its way, for a run in this environment, for some minutes."""
    with _lock:
        while _timers:
            _timers.pop().cancel()
        _timers.append(threading.Timer(_UNUSED, release))
        _timers[0].daemon = True
        _timers[0].start()
        if _waiting and not _waiting[0].fits(environment):
            _waiting.pop().order()
        if not _waiting:
            _waiting.append(_Standby(environment))


def take(run_id: str, environment: dict[str, str], died: Callable[[], None]) -> bool:
    """Give a run to the process on standby. False if there is none for it.

    `died` is called, in a thread, if that process dies of it.
    """
    with _lock:
        if not (_waiting and _waiting[0].fits(environment)):
            return False
        return _waiting.pop().order(run_id, died)


def release() -> None:
    """Let the process on standby end, and its memory be free."""
    with _lock:
        while _waiting:
            _waiting.pop().order()


def _load() -> None:
    """Load what a training needs, short of its digits."""
    import torch
    from torch.utils import tensorboard  # noqa: F401

    from core.jobs import keeper  # noqa: F401
    from core.runs.store import connect
    from core.training import loop  # noqa: F401

    torch.optim.SGD([torch.zeros(1, requires_grad=True)]).step()  # the first step loads more
    process.code()  # of what has just been loaded, whatever the files will be when it trains
    with suppress(UserError), connect():  # a store that fails is for the run to tell of
        pass


def _listen(orders: "queue.SimpleQueue[str]") -> None:
    """Wait for a run's id on standard input; end the process, loaded or not, if none will come."""
    run_id = sys.stdin.read()
    if not run_id:
        os._exit(0)
    orders.put(run_id)


def main() -> int:
    """Load, wait for a run's id on standard input, and do that run."""
    from core.jobs import worker
    from core.runs.files import LOG
    from core.runs.run import folder_of

    gc.disable()  # as the worker does, until it trains
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    _load()
    run_id = orders.get()
    with suppress(OSError), (folder_of(run_id) / LOG).open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    return worker.main(run_id)


if __name__ == "__main__":
    sys.exit(main())

"""A process on standby, which has loaded PyTorch and MLflow before it is given a run.

Loading takes seconds. From the moment the Train page is opened, the server keeps one process on
standby and hands it the next run. The process trains that run as `core.jobs.worker` would, and
exits. Without a run, it exits after some minutes without use of the page, or when the server ends
for any reason, which closes the pipe through which the run's id would arrive.
"""

import gc
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from core.errors import RunError, UserError
from core.jobs import process

_UNUSED = 300.0  # seconds after the last `prepare` until the process on standby is ended


class _Standby:
    """One standby process, loading or loaded, started in an environment."""

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
        """The process id."""
        return self._process.pid

    def fits(self, environment: dict[str, str]) -> bool:
        """Return whether it is alive and was started in this environment."""
        return self._process.poll() is None and self._environment == environment

    def send(self, run_id: str = "", died: Callable[[], None] = lambda: None) -> bool:
        """Send it the id of a run to train, or nothing to end it. Return False if it has died.

        `died` is called, in a thread, if the process dies while it trains.
        """
        try:
            with self._process.stdin as orders:  # type: ignore[union-attr]  # a pipe, as asked
                orders.write(run_id.encode())
        except BrokenPipeError:
            return False
        self._died = died
        return True

    def close_pipe(self) -> None:
        """Close this end of the pipe, in a child process forked from the server."""
        os.close(self._process.stdin.fileno())  # type: ignore[union-attr]  # a pipe, as asked


_lock = threading.Lock()
_waiting: list[_Standby] = []  # one at most
_timers: list[threading.Timer] = []  # one at most, which ends the process on standby


def _close_pipe() -> None:
    for one in _waiting:
        one.close_pipe()


if hasattr(os, "register_at_fork"):  # a child would keep the pipe open after the server ends
    os.register_at_fork(after_in_child=_close_pipe)


def prepare(environment: dict[str, str]) -> None:
    """Keep a process on standby in this environment for _UNUSED seconds from now."""
    with _lock:
        while _timers:
            _timers.pop().cancel()
        _timers.append(threading.Timer(_UNUSED, release))
        _timers[0].daemon = True
        _timers[0].start()
        if _waiting and not _waiting[0].fits(environment):
            _waiting.pop().send()
        if not _waiting:
            with suppress(RunError):  # without one, a run begins later
                _waiting.append(_Standby(environment))


def take(run_id: str, environment: dict[str, str], died: Callable[[], None]) -> bool:
    """Hand a run to the process on standby; return False if none fits the environment.

    `died` is called, in a thread, if the process dies while it trains.
    """
    with _lock:
        if not (_waiting and _waiting[0].fits(environment)):
            return False
        return _waiting.pop().send(run_id, died)


def release() -> None:
    """End the process on standby, which frees its memory."""
    with _lock:
        while _waiting:
            _waiting.pop().send()


def _load() -> None:
    """Load everything that training needs, except the data."""
    from torch.utils import tensorboard  # noqa: F401

    from core.jobs import keeper  # noqa: F401
    from core.runs.store import connect, load_for_training
    from core.training import loop  # noqa: F401

    load_for_training()
    process.code()  # the files may change before a run arrives
    with suppress(UserError), connect():  # a failing store is reported by the run
        pass


def _listen(orders: "queue.SimpleQueue[str]", arrived: threading.Event) -> None:
    """Wait for a run's id on standard input; end the process if the pipe closes without one."""
    run_id = sys.stdin.read()
    if not run_id:
        os._exit(0)
    orders.put(run_id)
    arrived.set()


def main() -> int:
    """Load, wait for a run's id on standard input, and train that run.

    While waiting, measure missing rows of the table of this machine's speed.
    """
    from core.jobs import speed, worker
    from core.runs.files import LOG
    from core.runs.run import folder_of

    gc.disable()  # as the worker does, until it trains
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    arrived = threading.Event()
    threading.Thread(target=_listen, args=(orders, arrived), daemon=True).start()
    _load()
    with suppress(UserError):  # without the table, pages do not say how long a run takes
        speed.measure(arrived)
    run_id = orders.get()
    with suppress(OSError), (folder_of(run_id) / LOG).open("ab") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    return worker.main(run_id)


if __name__ == "__main__":
    sys.exit(main())

"""The standby process, with real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.jobs import queue, request, standby, worker
from core.runs import actions, catalogue
from core.runs.person import OWNER
from core.runs.run import State
from tests.core.jobs.test_worker import SHORT, log, wait

ROOT = Path(__file__).parents[3]
PREPARE = """
from core.jobs import request, standby
request.prepare()
print(standby._waiting[0].pid, flush=True)
input()
"""
FORK = """
import os, subprocess, sys
from core.jobs import request, standby
request.prepare()
subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
reader, writer = os.pipe()
if not os.fork():
    print(standby._waiting[0].pid, os.getpid(), flush=True)
    os.close(writer)
    os.read(reader, 1)  # until the server is gone, and then for as long as the test wants
    import time; time.sleep(600)
input()
"""

pytestmark = pytest.mark.usefixtures("sample_only")


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    """A process that a test leaves on standby ends with it."""
    yield
    standby.release()


def lives(number: int) -> bool:
    """Return whether the process of this number is there, and not merely a zombie."""
    try:
        os.kill(number, 0)
        state = Path(f"/proc/{number}/stat")
        return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become true; fail when it does not within some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_next_run_is_done_by_the_process_on_standby() -> None:
    """It takes one run, ends with it, and leaves its log where every run's log is."""
    request.prepare()
    number = standby._waiting[0].pid
    request.prepare()  # one is enough
    assert [one.pid for one in standby._waiting] == [number]
    run = request.start(SHORT, "sample")
    assert standby._waiting == []
    wait(run, lambda now: now.state == State.RUNNING)
    assert lives(number)
    done = wait(run, lambda now: now.state.is_over)
    assert (done.state, done.epochs) == (State.FINISHED, 2), log(run)
    assert "epoch 2 of 2" in log(run)
    until(lambda: not lives(number))


def test_no_process_on_standby_beside_a_run_in_progress() -> None:
    """Two of them would not fit into a small machine's memory."""
    run = request.enqueue(SHORT, "sample")
    request.prepare()
    assert standby._waiting == []
    actions.delete(OWNER, worker.work(run))


def test_while_the_server_loads_the_queue_is_asked_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening the store takes seconds, in which the process on standby can load."""
    monkeypatch.setattr(catalogue, "in_progress", lambda: pytest.fail("the store was asked"))
    request.prepare(asks_store=False)
    assert [lives(one.pid) for one in standby._waiting] == [True]
    standby.release()
    run = request.enqueue(SHORT, "sample")
    request.prepare(asks_store=False)
    assert standby._waiting == []
    queue.leave(queue.folder_for(SHORT), run.id)


def test_a_training_loads_no_pandas() -> None:
    """MLflow would take it along, 65 MB with pyarrow; it can be imported afterwards."""
    code = (
        "import sys; from core.jobs import standby; standby._load(); "
        "from core.data import mnist; mnist.load('sample'); "
        "print(*sorted({'torch', 'mlflow', 'pandas', 'pyarrow', 'scipy'} & {*sys.modules})); "
        "import pandas; pandas.Series([1]).to_frame()"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (told.stdout, told.returncode) == ("mlflow torch\n", 0), told.stderr


def test_process_on_standby_ends_with_its_server() -> None:
    """However the server ends, its standby process ends too."""
    with subprocess.Popen(
        [sys.executable, "-c", PREPARE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        number = int(server.stdout.readline())
        assert lives(number)
        server.send_signal(signal.SIGKILL)
    until(lambda: not lives(number))


def test_it_ends_with_its_server_while_it_loads_and_whatever_was_forked() -> None:
    """Killed at once, the server leaves a process that has yet to load; it does not load first.

    Another process, forked by the server meanwhile, does not keep it alive.
    """
    with subprocess.Popen(
        [sys.executable, "-c", FORK],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        number, forked = map(int, server.stdout.readline().split())
        server.kill()
        try:
            until(lambda: not lives(number))
            assert lives(forked)
        finally:
            os.kill(forked, signal.SIGKILL)


def test_unused_process_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some minutes after the last use of the Train page, the process ends."""
    monkeypatch.setattr(standby, "_UNUSED", 600.0)
    request.prepare()
    number, [first] = standby._waiting[0].pid, standby._timers
    request.prepare()  # the page is still in use
    [second] = standby._timers
    assert first.finished.is_set() and not second.finished.is_set()
    assert lives(number) and standby._waiting
    monkeypatch.setattr(standby, "_UNUSED", 0.1)
    request.prepare()
    until(lambda: not standby._waiting and not lives(number))


def test_a_dead_process_or_one_of_another_store_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run gets a process of its own."""
    request.prepare()
    number = standby._waiting[0].pid
    os.kill(number, signal.SIGKILL)
    until(lambda: not lives(number))
    done = wait(request.start(SHORT, "sample"), lambda now: now.state.is_over)
    assert done.state == State.FINISHED, log(done)

    request.prepare()
    monkeypatch.setenv("DIGITLAB_AUTHOR", "somebody else")
    environment = request.worker_environment()
    assert not standby.take("a run", environment, died=lambda: None)
    standby.prepare(environment)
    assert [one.fits(environment) for one in standby._waiting] == [True]

"""A process made ready before there is a run for it, for real."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core import runs, spare, worker
from core.run import State
from tests.core.test_worker import SHORT, log, wait

pytestmark = pytest.mark.usefixtures("sample_only")


@pytest.fixture(autouse=True)
def none_left() -> Iterator[None]:
    """A spare process that a test leaves behind ends with it."""
    yield
    while spare._spares:
        spare._spares.pop().release()


def spare_processes() -> set[int]:
    """Return the numbers of the spare processes that live."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            alive = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:  # it has ended meanwhile
            continue
        if b"core.spare" in command and alive:
            found.add(int(entry.name))
    return found


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something to become true; fail when it does not within some seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")


@linux
def test_the_next_run_is_done_by_the_spare_process() -> None:
    """It takes one run, ends with it, and leaves its log where every run's log is."""
    before = spare_processes()
    worker.prepare()
    worker.prepare()  # one is enough
    (number,) = spare_processes() - before
    run = worker.start(SHORT, "sample")
    assert spare._spares == []
    wait(run, lambda now: now.state == State.RUNNING)
    assert number in spare_processes()
    done = wait(run, lambda now: now.state.is_over)
    assert (done.state, done.epochs) == (State.FINISHED, 2), log(run)
    assert "epoch 2 of 2" in log(run)
    until(lambda: number not in spare_processes())


@linux
def test_no_spare_process_beside_a_run_in_progress() -> None:
    """Two of them would not fit into a small machine's memory."""
    before = spare_processes()
    run = worker.ask(SHORT, "sample")
    worker.prepare()
    assert spare_processes() == before
    runs.delete(worker.work(run))


@linux
def test_spare_process_ends_with_its_server() -> None:
    """Nobody has to tidy up, however the server ended."""
    before = spare_processes()
    with subprocess.Popen(
        [sys.executable, "-c", "from core import worker; worker.prepare(); input()"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
    ) as server:
        until(lambda: len(spare_processes() - before) == 1)
        server.send_signal(signal.SIGKILL)
    until(lambda: spare_processes() == before)


@linux
def test_a_dead_spare_process_or_one_of_another_store_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The run gets a process of its own."""
    before = spare_processes()
    worker.prepare()
    (number,) = spare_processes() - before
    os.kill(number, signal.SIGKILL)
    until(lambda: spare_processes() == before)
    done = wait(worker.start(SHORT, "sample"), lambda now: now.state.is_over)
    assert done.state == State.FINISHED, log(done)

    worker.prepare()
    monkeypatch.setenv("DIGITLAB_AUTHOR", "somebody else")
    environment = worker._environment()
    assert not spare.take("a run", environment)
    spare.prepare(environment)
    assert spare._spares[0].fits(environment)
    assert len(spare._spares) == 1

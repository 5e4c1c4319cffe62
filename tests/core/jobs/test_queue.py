"""Whose turn it is to train."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.errors import RunError, StoreError
from core.jobs import queue
from core.runs import catalogue
from core.runs.store import directory

HOLD = """
import sys
from pathlib import Path
from core.jobs import queue
with queue.turn(Path(sys.argv[1]), sys.argv[2]) as ours:
    print(ours, flush=True)
    sys.stdin.read()
"""


ENQUEUE = """
from core.config import TrainConfig
from core.jobs import request
print(request.enqueue(TrainConfig(device="cpu"), "sample").id)
"""


def holder(folder: Path, run_id: str) -> "subprocess.Popen[str]":
    """Start a process that takes its turn, says so, and holds it until its input is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_free_device_is_ours_at_once(tmp_path: Path) -> None:
    """A run that is first in the queue starts at once, and leaves no ticket behind."""
    with queue.turn(tmp_path, "a") as ours:
        assert ours
    assert list(tmp_path.iterdir()) == []


def test_runs_wait_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    """A process that starts first waits for the run that was asked for first."""
    queue.enter(tmp_path, "first")
    queue.enter(tmp_path, "second")
    turns: list[str] = []

    def work(run_id: str) -> None:
        with queue.turn(tmp_path, run_id):
            turns.append(run_id)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("second", "first")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert turns == ["first", "second"]


def test_killed_process_frees_the_device(tmp_path: Path) -> None:
    """A run killed with signal 9 does not block the queue, and its ticket is removed."""
    other = holder(tmp_path, "killed")
    assert other.stdout and other.stdout.readline() == "True\n"
    other.kill()
    other.communicate()
    with queue.turn(tmp_path, "next") as ours:
        assert ours
    assert list(tmp_path.iterdir()) == []


def test_empty_ticket_is_nobodys(tmp_path: Path) -> None:
    """A ticket that is recreated by probing it, as its run ends, does not block the queue."""
    (tmp_path / f"{0:020}-ended").touch()
    begin = time.monotonic()
    with queue.turn(tmp_path, "next") as ours:
        assert ours and time.monotonic() - begin < 2
    assert list(tmp_path.iterdir()) == []


def test_place_of_a_dead_process_is_given_up_at_once(tmp_path: Path) -> None:
    """A process that died before its first sign of life blocks nothing; a held place stays."""
    queue.enter(tmp_path, "dead")
    queue.leave(tmp_path, "dead")
    assert list(tmp_path.iterdir()) == []
    with queue.turn(tmp_path, "alive"):
        queue.leave(tmp_path, "alive")
        assert list(tmp_path.glob("*-alive"))


def test_queue_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """The message names the folder."""
    (tmp_path / "queue").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"queue .*cannot be written"):
        queue.enter(tmp_path / "queue" / "cpu", "any")


def test_many_runs_asked_for_at_once_are_all_in_the_queue() -> None:
    """Eight processes that ask at the same moment get eight runs, each with its place."""
    command = [sys.executable, "-c", ENQUEUE]
    asking = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    told = [process.communicate(timeout=120) for process in asking]
    assert [error for _, error in told] == [""] * 8
    ids = {out.strip() for out, _ in told}
    assert {run.id for run in catalogue.listed()} == ids and len(ids) == 8
    tickets = (directory() / "queue" / "cpu").iterdir()
    assert sorted(ticket.name.split("-")[1] for ticket in tickets) == sorted(ids)


def test_waiting_run_can_be_stopped(tmp_path: Path) -> None:
    """A run that is stopped while it waits ends without a turn."""
    other = holder(tmp_path, "long")
    assert other.stdout and other.stdout.readline() == "True\n"
    with queue.turn(tmp_path, "short", should_stop=lambda: True) as ours:
        assert not ours
    other.communicate("")


def test_two_processes_cannot_do_one_run(tmp_path: Path) -> None:
    """The second gets a message instead of a second training of the same run."""
    other = holder(tmp_path, "same")
    assert other.stdout and other.stdout.readline() == "True\n"
    with (
        pytest.raises(RunError, match="Another process"),
        queue.turn(tmp_path, "same"),
    ):
        pass
    other.communicate("")

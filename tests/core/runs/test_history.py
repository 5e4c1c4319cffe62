"""The histories of a team's runs, read by several people at once."""

import threading
from dataclasses import replace

import pytest

from core.runs import builtin, history
from core.runs.history import History, read_history
from core.runs.run import Run


def test_a_slow_read_of_one_run_keeps_nobody_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simultaneous requests for a run wait for one read."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nowhere.invalid")
    slow, other = (replace(builtin.run(), id=digit * 32, name=digit) for digit in "ab")
    began, answer, read = threading.Event(), threading.Event(), []

    def answered(run: Run) -> History:
        read.append(run.name)
        if run.id == slow.id:
            began.set()
            answer.wait(60)
        return history._nothing()

    monkeypatch.setattr(history, "_read", answered)
    both = [threading.Thread(target=read_history, args=[slow]) for _ in range(2)]
    for thread in both:
        thread.start()
    assert began.wait(60)
    read_history(other)
    assert all(thread.is_alive() for thread in both)
    answer.set()
    for thread in both:
        thread.join(60)
    assert sorted(read) == ["a", "b"]

"""The histories of runs, read by several people at once."""

import threading
from dataclasses import replace

import pytest

from core.config import TrainConfig
from core.runs import builtin, catalogue, history
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


def test_a_step_is_read_once_however_many_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that show a run at the same step share one read; the next step is read anew."""
    run = catalogue.create(TrainConfig(), "sample")
    read, reads = history._read, []
    monkeypatch.setattr(history, "_read", lambda run: reads.append(run.step) or read(run))
    for step in (10, 20):
        catalogue.log(run.id, [("progress", step, step), ("step/loss", 1 / step, step)])
        now = catalogue.get(run.id)
        for _ in range(3):
            assert read_history(now).steps["loss"].iloc[-1] == 1 / step
    assert reads == [10, 20]


@pytest.mark.parametrize(("epochs", "steps"), [(0, []), (1, [5, 10]), (2, [5, 10, 15, 20])])
def test_steps_after_the_last_whole_epoch_can_be_left_out(epochs: int, steps: list[int]) -> None:
    """An epoch has ten steps here; its own last step is part of it."""
    run = catalogue.create(TrainConfig(epochs=3), "sample")
    catalogue.set_tags(run.id, {"steps": "30"})
    catalogue.log(run.id, [("step/loss", 0.1, step) for step in (5, 10, 15, 20, 25)])
    catalogue.log(run.id, [("epoch/train_loss", 0.1, 1 + number) for number in range(epochs)])
    whole = read_history(catalogue.get(run.id)).of_whole_epochs()
    assert whole.steps["step"].tolist() == steps
    assert len(whole.epochs) == epochs

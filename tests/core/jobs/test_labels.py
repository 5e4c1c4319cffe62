"""Judging the labels: progress, what is kept, and who may start it."""

import os
import time

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.data.selection import take
from core.data.splits import split_for
from core.errors import DataError, RunError
from core.jobs import judge, labels, request, worker
from core.jobs.labels import Judgment, Work
from core.runs import catalogue, label_notes
from core.runs.person import Person
from core.runs.run import State

VISITOR = Person("Ada", "a" * 32)


@pytest.fixture(scope="module")
def few() -> Digits:
    """300 training images and 100 test images, of which training image 7 has a wrong label."""
    sample = mnist.load("sample")
    images, truth = take(sample, np.arange(400))
    truth = truth.copy()
    truth[7] = (truth[7] + 5) % 10
    return Digits("sample", images[:300], truth[:300], images[300:], truth[300:])


def test_wrong_label_is_found_and_kept(few: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 400 images, the one whose label was changed is the most suspicious; the file is whole."""
    monkeypatch.setattr(labels, "SEEDS", (0,))
    assert not labels.judged(few.checksum)
    judge.in_turn(few)
    assert labels.judged(few.checksum) and labels.work(few.checksum) is None
    assert labels.result(few).probabilities.shape == (400, 10)
    found = labels.suspects(few)
    assert 7 in found.numbers[:3]
    assert [path.name for path in labels.folder().iterdir()] == [f"{few.checksum}.npz"]


def test_missing_result_is_reported(few: Digits) -> None:
    """Without a result the message says how to get one."""
    with pytest.raises(DataError, match="python -m core labels"):
        labels.result(few)


@pytest.mark.parametrize("content", [b"", b"PK damaged", b"of other images"])
def test_damaged_result_is_refused(few: Digits, content: bytes) -> None:
    """A file that is not a result, or is another data set's, is named and not used."""
    other = Judgment(np.full((2, 10), 0.1, np.float32), np.zeros(2), 1.0)
    labels.keep(few.checksum, other)
    if content != b"of other images":
        (labels.folder() / f"{few.checksum}.npz").write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        labels.result(few)


def test_silence_counts_as_death() -> None:
    """A process counts as dead after a minute without a sign of life, and not before."""
    labels.tell("data", Work(0.5, waits=False))
    assert labels.work("data") == Work(0.5, waits=False)
    before = time.time() - 120
    os.utime(labels.folder() / "data.json", (before, before))
    assert labels.work("data") == Work(problem=labels.DIED)
    labels.alive("data")
    assert labels.work("data") == Work(0.5, waits=False)


def test_demo_does_not_judge(few: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor of the public demo is refused, and nothing is started."""
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    with pytest.raises(RunError, match="public demo"):
        labels.start(few, VISITOR)
    assert labels.work(few.checksum) is None


def test_process_judges_while_others_ask_for_the_same(
    monkeypatch: pytest.MonkeyPatch, sample_only: None
) -> None:
    """A second request joins the process that is under way, which tells how far it has come."""
    digits = mnist.load("sample")
    labels.start(digits, VISITOR)
    labels.start(digits)
    queue = list((labels.folder().parent / "queue").glob(f"*/*-labels-{digits.checksum}"))
    assert len(queue) == 1
    end = time.monotonic() + 60
    while (now := labels.work(digits.checksum)) and now.share == 0 and time.monotonic() < end:
        time.sleep(0.1)
    assert now and now.share > 0 and not now.problem
    os.kill(int(queue[0].read_text()), 15)
    while (now := labels.work(digits.checksum)) and not now.problem and time.monotonic() < end:
        time.sleep(0.1)
    assert now == Work(problem=labels.DIED)


@pytest.mark.usefixtures("sample_only")
def test_run_leaves_out_what_was_noted_wrong_or_fails() -> None:
    """A run with notes trains on fewer images; without the file it fails and says what is missing.

    The 200 images that it would learn from are all noted wrong but 40: one step of 64.
    """
    digits = mnist.load("sample")
    config = TrainConfig(network="mlp", epochs=1, batch_size=64, train_size=200, device="cpu")
    split = split_for(digits, config.validation_size, config.train_size, config.seed)
    for index in split.train[:160]:
        label_notes.note(("train", int(index)), "wrong", digits.checksum)
    noted = config.changed({"notes": label_notes.frozen(digits.checksum)})
    run = worker.work(request.enqueue(noted, "sample"))
    assert run.steps == 1 and run.state == State.FINISHED
    assert catalogue.get(run.id).config.notes == noted.notes
    (label_notes.folder() / f"{noted.notes}.json").unlink()
    again = request.enqueue(noted, "sample")
    with pytest.raises(DataError, match="not on this machine"):
        worker.work(again)
    assert catalogue.get(again.id).state == State.FAILED

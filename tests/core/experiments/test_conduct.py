"""Conducting experiments: each shows what it claims, and training side by side changes nothing."""

import re
import time
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.errors import ExperimentError
from core.experiments import conduct, course, definition, request
from core.experiments.course import Bars, Course, Dots, Tiles, Writer
from core.jobs import queue
from core.runs.person import Person
from core.training.events import Epoch, Event
from core.training.loop import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("sample_only")]


@cache
def digits() -> Digits:
    """Return the embedded digits."""
    return mnist.load("sample")


@pytest.fixture(scope="module", autouse=True)
def threads_as_before() -> Iterator[None]:
    """Experiments compute with one thread; other tests get theirs back."""
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def conducted(slug: str) -> Course:
    """Conduct one of our experiments and return its course."""
    experiment = definition.find(slug)
    name = course.create(slug)
    conduct.conduct(experiment, digits(), Writer(course.path_of(name)))
    found = course.read(name, len(experiment.runs))
    assert found
    return found


def last(found: Course) -> list[tuple[float, float]]:
    """Return each run's accuracies after its last epoch, in training and in validation."""
    return [lane.epochs[-1][1:] for lane in found.lanes]


def validations(training: Iterator[Event]) -> list[tuple[float, float]]:
    """Return loss and accuracy in validation after each epoch."""
    return [
        (event.validation_loss, event.validation_accuracy)
        for event in training
        if isinstance(event, Epoch)
    ]


def test_side_by_side_is_as_alone() -> None:
    """Runs that take turns, with dropout and moved digits, end at the numbers they have alone."""
    shared = {"train_size": 200, "epochs": 2, "batch_size": 20, "precision": "float32"}
    configs = [
        TrainConfig(network="mlp", device="cpu", dropout=0.5).changed(shared),
        TrainConfig(network="fast_cnn", device="cpu", dropout=0.3, shift=2, seed=1).changed(shared),
    ]
    alone = [validations(train(config, digits())) for config in configs]
    together: dict[int, list[tuple[float, float]]] = {0: [], 1: []}
    order = []
    for number, event in conduct.side_by_side([train(config, digits()) for config in configs]):
        order.append(number)
        together[number] += validations(iter([event]))
    assert [together[0], together[1]] == alone
    assert order[:6] == [0, 1, 0, 1, 0, 1]


def test_learning_rate() -> None:
    """Of three rates, the middle is by far the best, the small one is slow, the large diverges."""
    slow, right, fast = conducted("2-learning-rate").lanes
    assert fast.state == "diverged" and not fast.epochs
    assert right.epochs[-1][2] > 0.9
    assert 0.3 < slow.epochs[-1][2] < 0.8
    assert slow.epochs[-1][2] > slow.epochs[0][2] + 0.1  # it was still climbing


def test_by_heart() -> None:
    """A hundred digits are memorized; dropout helps little, augmentation more, more digits most."""
    few, many, dropout, moved = last(conducted("3-by-heart"))
    assert few[0] > 0.99 and few[1] < 0.87
    assert few[1] - 0.02 < dropout[1] < moved[1] < many[1]
    assert moved[1] > few[1] + 0.05
    assert many[1] > 0.95


def test_pixels() -> None:
    """Shuffled pixels do not hurt a fully connected network, but cost a convolution its lead."""
    found = conducted("1-pixels")
    dense, dense_shuffled, conv, conv_shuffled = (validation for _, validation in last(found))
    assert abs(dense - dense_shuffled) < 0.015
    assert conv > dense + 0.015 and conv_shuffled < dense - 0.01
    bars, tiles = found.findings.values()
    assert isinstance(bars, Bars) and bars.values[""][2] <= 1 - conv
    assert isinstance(tiles, Tiles)
    plain, shuffled = tiles.pixels()[:4], tiles.pixels()[4:]
    assert (np.sort(plain.reshape(4, -1)) == np.sort(shuffled.reshape(4, -1))).all()
    assert (plain != shuffled).any(axis=(1, 2)).all()


def test_misread() -> None:
    """Preparing a picture recovers what squeezing loses, though less of it for turned digits."""
    bars, _ = conducted("4-misread").findings.values()
    assert isinstance(bars, Bars)
    squeezed, prepared = (dict(zip(bars.groups, row, strict=True)) for row in bars.values.values())
    assert squeezed["in the middle"] > 0.9
    assert squeezed["in a corner"] < 0.5 < 0.9 < prepared["in a corner"]
    for way in ("large", "thick pen"):
        assert prepared[way] > squeezed[way] + 0.1
    assert prepared["turned by 25°"] < 0.85


def test_luck() -> None:
    """The best of ten on few digits is mostly lucky: on fresh ones most of its lead is gone."""
    [dots] = conducted("5-luck").findings.values()
    assert isinstance(dots, Dots) and dots.marked is not None
    few, fresh = (np.array(values) for values in dots.values.values())
    assert len(few) == len(fresh) == 10
    lead, kept = few[dots.marked] - few.mean(), fresh[dots.marked] - fresh.mean()
    assert few[dots.marked] == few.max() and lead > 0.025
    assert kept < lead / 2
    assert few.std() > 2 * fresh.std()


def test_difference() -> None:
    """One group of five seeds leads, but chance gives as large a lead once in five or more."""
    found = conducted("6-difference")
    [dots] = found.findings.values()
    assert isinstance(dots, Dots)
    first, second = dots.values.values()
    assert len(first) == len(second) == 5
    assert min(second) < max(first) and np.mean(second) > np.mean(first)
    share = re.search(r"into two groups, (\d+) % differ", dots.title)
    assert share and int(share[1]) >= 20
    assert "252 ways" in dots.title


def test_sure() -> None:
    """The network is overconfident, calibration corrects that, and letters still look sure."""
    claims, surely, letters = conducted("7-sure").findings.values()
    assert isinstance(claims, Bars) and isinstance(surely, Bars) and isinstance(letters, Tiles)
    (before, after), (right, _) = claims.values.values()
    assert before > right + 0.02 and abs(after - right) < 0.015
    misread_before, misread_after, letters_before, letters_after = surely.values[""]
    assert misread_after < misread_before / 2
    assert letters_before >= letters_after > 0
    assert len(letters.captions) == len(letters.images) == 12


def test_seeing() -> None:
    """Changes aimed at its error fool it where random ones of the same size do not."""
    bars, tiles = conducted("8-seeing").findings.values()
    assert isinstance(bars, Bars) and isinstance(tiles, Tiles)
    random, aimed = bars.values.values()
    assert random[0] == aimed[0] > 0.95
    assert random[2] > 0.95 and aimed[2] < 0.7
    assert aimed[3] < 0.4
    digits_shown, covered = tiles.pixels()[::3], tiles.pixels()[1::3]
    assert len(digits_shown) == 4 and (covered.max(axis=(1, 2)) == 255).all()


def test_every_claim_has_its_test() -> None:
    """Each experiment that ships has a test of its claim here, with its name."""
    for experiment in definition.library()[0]:
        _, name = experiment.slug.split("-", 1)
        assert f"test_{name.replace('-', '_')}" in globals()


def test_experiment_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment that takes too long is ended, and the message says what to reduce."""
    monkeypatch.setattr(conduct, "LONGEST", 0.2)
    with pytest.raises(ExperimentError, match="fewer epochs or images"):
        conducted("3-by-heart")


def test_cancelled_experiment_ends() -> None:
    """Whoever began an experiment can cancel it; a classmate who joined it cannot."""
    began, joined = Person("A", "a"), Person("B", "b")
    name = course.create("2-learning-rate")
    queue.enter(request.folder(), name, began.tag)
    request.cancel(name, joined)
    assert course.going_on("2-learning-rate") == name
    request.cancel(name, began)
    assert course.going_on("2-learning-rate") is None
    assert conduct.main(name) == 0  # its process leaves the queue, and trains nothing
    assert not list(request.folder().glob(f"*-{name}"))
    found = course.read(name, 3)
    assert found and found.over and not any(lane.steps for lane in found.lanes)
    with pytest.raises(ExperimentError, match="cancelled"):  # one that trains ends too
        conduct.conduct(
            definition.find("2-learning-rate"),
            digits(),
            Writer(course.path_of(name)),
            lambda: course.is_cancelled(name),
        )


def test_process_writes_the_course() -> None:
    """A request starts a process, a second request joins it, and it ends by itself."""
    experiment = definition.find("2-learning-rate")
    name = request.start(experiment)
    assert request.start(experiment) == name
    deadline = time.monotonic() + 90
    while not (found := course.read(name, 3)) or not found.over:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found.problem == ""
    assert [lane.state for lane in found.lanes] == ["finished", "finished", "diverged"]
    assert not list(request.folder().glob(f"*-{name}"))

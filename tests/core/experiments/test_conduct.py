"""Experiments conducted: each shows what it claims, side by side as alone."""

import time
from collections.abc import Iterator
from functools import cache

import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.errors import ExperimentError
from core.experiments import conduct, course, definition, request
from core.experiments.course import Course, Writer
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


def test_learning_by_heart() -> None:
    """A hundred digits are learned by heart; dropout helps little, moving more, digits most."""
    few, many, dropout, moved = last(conducted("3-by-heart"))
    assert few[0] > 0.99 and few[1] < 0.87
    assert few[1] - 0.02 < dropout[1] < moved[1] < many[1]
    assert moved[1] > few[1] + 0.05
    assert many[1] > 0.95


def test_experiment_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher's experiment that is too large is ended with a sentence, not after an hour."""
    monkeypatch.setattr(conduct, "LONGEST", 0.2)
    with pytest.raises(ExperimentError, match="fewer epochs or images"):
        conducted("3-by-heart")


def test_process_writes_the_course() -> None:
    """A request starts a process; who asks meanwhile joins it; it ends by itself."""
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

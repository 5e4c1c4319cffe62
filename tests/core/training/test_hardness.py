"""How late images are learned and how often forgotten: the counts, and a run's record."""

import numpy as np
import pytest
import torch

from core.config import TrainConfig
from core.data import mnist
from core.data.digits import Digits
from core.data.splits import split_for
from core.errors import CheckpointError
from core.training.events import Epoch
from core.training.hardness import Hardness, ranks
from core.training.loop import train

SMALL = TrainConfig(
    network="mlp", epochs=3, batch_size=64, train_size=601, validation_size=200, shift=1,
    precision="float32", device="cpu", hardness=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> Digits:
    """The embedded digits."""
    return mnist.load("sample")


@pytest.fixture(scope="module")
def recorded(digits: Digits) -> list[Epoch]:
    """The epochs of a training that records hardness."""
    return [event for event in train(SMALL, digits) if isinstance(event, Epoch)]


def counted() -> Hardness:
    """Of five images 1, 2 and 4 are learned from, and one extra, for three epochs."""
    hardness = Hardness(5, np.array([1, 2, 4]))
    read = {  # right or wrong in each epoch, of images 1, 2, 4 and the extra one
        1: [True, False, True, False],
        2: [False, False, True, False],
        3: [True, False, True, True],
    }
    for epoch, right in read.items():
        order = torch.tensor([3, 1, 0, 2])
        hardness.add(order, torch.tensor(right)[order], epoch)
    return hardness


def test_forgetting_is_going_from_right_to_wrong() -> None:
    """Image 1 is forgotten once; image 2 never was right; the others are not learned from."""
    forgotten, wrong, last = counted().counts
    assert forgotten.tolist() == [-1, 1, 0, -1, 0]
    assert wrong.tolist() == [-1, 1, 3, -1, 0]
    assert last.tolist() == [-1, 2, 3, -1, 0]


def test_never_learned_is_hardest_and_unknown_is_no_number() -> None:
    """Image 2 comes before the forgotten image 1, and that before image 4."""
    found = ranks(counted().counts.numpy(), epochs=3)
    assert found[2] > found[1] > found[4] == 0
    assert np.isnan(found[[0, 3]]).all()


def test_training_records_what_its_steps_read(digits: Digits, recorded: list[Epoch]) -> None:
    """Exactly the images learned from have counts, and their sum is the training accuracy's."""
    split = split_for(digits, SMALL.validation_size, SMALL.train_size, SMALL.seed)
    first, *_, last = (event.checkpoint["hardness"] for event in recorded)
    assert np.flatnonzero(last[0] >= 0).tolist() == split.train.tolist()
    wrong = int(first[1][split.train].sum())
    assert wrong == round((1 - recorded[0].train_accuracy) * 601)
    assert (last[2] <= 3).all() and (last[0] <= 1).all()  # twice takes four epochs


def test_numbers_are_the_same_with_and_without(digits: Digits, recorded: list[Epoch]) -> None:
    """Recording changes nothing that is learned."""
    plain = SMALL.changed({"hardness": False})
    events = [event for event in train(plain, digits) if isinstance(event, Epoch)]
    assert (events[-1].probabilities == recorded[-1].probabilities).all()
    assert "hardness" not in events[-1].checkpoint


def test_resumed_training_records_on(digits: Digits, recorded: list[Epoch]) -> None:
    """After a resume the counts are those of a run that never stopped; foreign ones are refused."""
    resumed = train(SMALL, digits, resume=recorded[0].checkpoint)
    last = [event for event in resumed if isinstance(event, Epoch)][-1]
    assert (last.checkpoint["hardness"] == recorded[-1].checkpoint["hardness"]).all()
    foreign = {**recorded[0].checkpoint, "hardness": torch.zeros(3, 7, dtype=torch.int16)}
    with pytest.raises(CheckpointError, match="hardness"):
        list(train(SMALL, digits, resume=foreign))  # type: ignore[arg-type]

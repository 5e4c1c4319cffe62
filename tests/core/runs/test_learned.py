"""Which images a run learned from."""

import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.splits import split_for
from core.errors import DataError
from core.runs import catalogue, label_notes, learned

pytestmark = pytest.mark.usefixtures("sample_only")


def test_images_left_out_for_their_labels_were_not_learned() -> None:
    """They are the split's images without those that the run's notes call wrong."""
    digits, config = mnist.load("sample"), TrainConfig(train_size=600)
    every = split_for(digits, config.validation_size, 600, config.seed).train
    label_notes.note(("train", int(every[3])), "wrong", digits.checksum)
    noted = config.changed({"notes": label_notes.frozen(digits.checksum)})
    plain, careful = (catalogue.create(one, "sample") for one in (config, noted))
    assert learned.images(plain, digits).tolist() == every.tolist()
    assert learned.images(careful, digits).tolist() == [*every[:3], *every[4:]]


def test_images_of_a_choice_that_is_gone_are_not_guessed() -> None:
    """If the run that chose the images was deleted, nobody knows which they were."""
    config = TrainConfig(train_size=600, chosen="hardest", chosen_by="0" * 32)
    with pytest.raises(DataError, match="hardest images are not known"):
        learned.images(catalogue.create(config, "sample"), mnist.load("sample"))

"""Hardness as a run recorded it, and a run that learns from the hardest images of another."""

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.splits import split_for
from core.errors import ConfigError, DataError, RunError
from core.jobs import request, worker
from core.runs import catalogue, hardness, learned
from core.runs.run import State

SMALL = TrainConfig(network="mlp", epochs=2, batch_size=64, train_size=600, device="cpu")


@pytest.mark.slow
@pytest.mark.usefixtures("sample_only")
def test_run_learns_from_the_hardest_images_of_another() -> None:
    """The run's id is a setting; the images are those that the other run found hardest."""
    digits = mnist.load("sample")
    plain = SMALL.changed({"epochs": 1})
    first = worker.work(
        request.enqueue(SMALL.changed({"hardness": True, "train_size": 0}), "sample")
    )
    found = hardness.of(first, digits)
    split = split_for(digits, SMALL.validation_size, 0, SMALL.seed)
    assert np.flatnonzero(np.isfinite(found)).tolist() == split.train.tolist()

    config = plain.changed({"chosen": "hardest", "chosen_by": first.id})
    ranks = hardness.wanted(config, digits)
    assert ranks is not None and hardness.wanted(plain, digits) is None
    easiest = hardness.wanted(config.changed({"chosen": "easiest"}), digits)
    assert easiest is not None and (easiest[split.train] == -ranks[split.train]).all()
    hardest = split_for(digits, SMALL.validation_size, 600, SMALL.seed, ranks).train
    assert found[hardest].mean() > found[split.train].mean()

    second = worker.work(request.enqueue(config, "sample"))
    assert learned.images(second, digits).tolist() == hardest.tolist()
    assert second.state == State.FINISHED and second.steps == 10
    with pytest.raises(RunError, match="has not recorded"):
        hardness.of(second, digits)
    (first.folder / "last.pt").unlink()
    third = request.enqueue(config, "sample")
    with pytest.raises(DataError, match="missing"):
        worker.work(third)
    assert catalogue.get(third.id).state == State.FAILED


def test_hardest_needs_a_run() -> None:
    """Without a run that says so, the settings are refused, with what to do."""
    with pytest.raises(ConfigError, match="hardness=true"):
        TrainConfig(chosen="hardest")
    with pytest.raises(DataError, match="not known"):
        hardness.wanted(TrainConfig(chosen="hardest", chosen_by="0" * 32), mnist.load("sample"))

"""The moments of a training whose weights are kept."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.config import NETWORKS, TrainConfig
from core.data import mnist
from core.errors import CheckpointError
from core.training import forming, networks
from core.training.events import Epoch
from core.training.forming import Moment
from core.training.loop import train

SMALL = TrainConfig(
    network="fast_cnn", epochs=2, train_size=1_000, validation_size=100, batch_size=50
)


def test_start_ten_in_the_first_epoch_and_each_epochs_end_are_kept() -> None:
    """Of a small network all of them; the moments of the first epoch are ever further apart."""
    steps = sorted(forming.moments(400, 5, networks.build(SMALL)))
    first = [step for step in steps if step < 400]
    assert first[0] == 0 and len(first) in (10, 11)
    assert np.diff(first[-4:]).tolist() == sorted(np.diff(first[-4:]).tolist())
    assert steps[len(first) :] == [400, 800, 1200, 1600, 2000]


@pytest.mark.parametrize("network", NETWORKS)
def test_all_moments_of_a_long_run_fit_into_ten_megabytes(network: str, tmp_path: Path) -> None:
    """Of any network, with the first and the last step among them; and read back the same."""
    model = networks.build(TrainConfig(network=network))
    steps = sorted(forming.moments(500, 100, model))
    assert steps[0] == 0 and steps[-1] == 50_000 and len(steps) >= 6
    kept = [Moment(step, forming.packed(model)) for step in steps]
    forming.save(kept, tmp_path / "forming.pt")
    assert (tmp_path / "forming.pt").stat().st_size < forming.MAX_BYTES
    again = forming.load(tmp_path / "forming.pt")
    assert [moment.step for moment in again] == steps
    other = networks.build(TrainConfig(network=network, seed=5))
    forming.put(again[-1], other)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            close = (other.state_dict()[name] - value).abs().max()
            assert close <= value.abs().max() / 200


def test_a_training_yields_its_moments_and_the_numbers_stay_the_same() -> None:
    """The last moment is the last epoch's network, to 16 bits."""
    digits = mnist.load("sample")
    events = list(train(SMALL, digits))
    moments = [event for event in events if isinstance(event, Moment)]
    assert moments[0].step == 0 and moments[-1].step == 40
    assert sum(moment.step < 20 for moment in moments) in (10, 11)
    [*_, last] = [event for event in events if isinstance(event, Epoch)]
    weights = forming.unpacked(moments[-1].weights)
    for name, value in last.checkpoint["model_state_dict"].items():
        torch.testing.assert_close(weights[name], value, rtol=2e-3, atol=1e-4)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    """Other names, more moments than are ever kept, and weights that do not fit."""
    path = tmp_path / "forming.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="moments"):
        forming.load(path)
    torch.save({f"{step}:weight": torch.zeros(1) for step in range(99)}, path)
    with pytest.raises(CheckpointError, match="more than"):
        forming.load(path)
    torch.save({"5:weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="do not fit"):
        forming.put(forming.load(path)[0], networks.build(SMALL))

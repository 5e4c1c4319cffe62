"""Checkpoints: written whole, read as weights only."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import TrainConfig
from core.errors import CheckpointError
from core.training import checkpoint
from core.training.checkpoint import Checkpoint
from core.training.networks import build


def made(network: str = "mlp") -> Checkpoint:
    """Return a checkpoint of a fresh network."""
    config = TrainConfig(network=network)
    return Checkpoint(
        config=config.to_dict(),
        epoch=1,
        best_epoch=1,
        best_accuracy=0.5,
        train_seconds=1.0,
        model_state_dict=build(config).state_dict(),
        optimizer_state_dict={},
        scheduler_state_dict={},
        random_state={"torch": torch.get_rng_state()},
    )


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """Weights and all else come back as they were, and nothing half-written stays behind."""
    content = made()
    checkpoint.save(content, tmp_path / "best.pt")
    back = checkpoint.load(tmp_path / "best.pt")
    assert back["config"] == content["config"]
    for name, tensor in content["model_state_dict"].items():
        assert torch.equal(back["model_state_dict"][name], tensor)
    assert [path.name for path in tmp_path.iterdir()] == ["best.pt"]


def test_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    """Half a file is damaged, and says so."""
    path = tmp_path / "best.pt"
    checkpoint.save(made(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 nearly a zip"])
def test_foreign_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no checkpoint gets a message, not a traceback."""
    path = tmp_path / "best.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"best\.pt"):
        checkpoint.load(path)


class Harm:
    """Unpickled carelessly, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "write", [torch.save, lambda obj, path: path.write_bytes(pickle.dumps(obj, 2))]
)
def test_code_in_a_checkpoint_is_never_run(tmp_path: Path, write: Any) -> None:
    """A checkpoint that holds pickled code is refused, and the code does not run."""
    write({"model_state_dict": Harm(tmp_path / "harm")}, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match="other than weights"):
        checkpoint.load(tmp_path / "best.pt")
    assert not (tmp_path / "harm").exists()


def test_other_dictionaries_are_no_checkpoints(tmp_path: Path) -> None:
    """A file of weights from elsewhere lacks what a checkpoint of ours has."""
    torch.save({"weights": torch.zeros(3)}, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match="no checkpoint of Digit Lab"):
        checkpoint.load(tmp_path / "best.pt")


def test_weights_of_another_network_do_not_fit(tmp_path: Path) -> None:
    """Weights that are not the named network's are refused."""
    with pytest.raises(CheckpointError, match="do not fit"):
        checkpoint.load_weights(build(TrainConfig(network="lenet5")), made("mlp"))


def test_failed_write_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    """Where a checkpoint cannot be written, the last one stays whole."""
    path = tmp_path / "best.pt"
    checkpoint.save(made(), path)
    before = path.read_bytes()
    path.with_suffix(".partial").mkdir()  # so that the new one cannot be opened
    with pytest.raises(CheckpointError, match="could not be written"):
        checkpoint.save(made(), path)
    assert path.read_bytes() == before

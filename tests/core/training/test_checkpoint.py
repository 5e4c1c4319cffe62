"""Checkpoints: written whole, read as weights only."""

import copy
import math
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import TrainConfig, config_from
from core.errors import CheckpointError
from core.training import checkpoint
from core.training.checkpoint import Checkpoint
from core.training.learner import Learner
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
    """A file that is not a checkpoint gives a message, not a traceback."""
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
    with pytest.raises(CheckpointError, match="contains more than weights"):
        checkpoint.load(tmp_path / "best.pt")
    assert not (tmp_path / "harm").exists()


def test_other_dictionaries_are_no_checkpoints(tmp_path: Path) -> None:
    """A file of weights from elsewhere lacks what a checkpoint of ours has."""
    torch.save({"weights": torch.zeros(3)}, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of Digit Lab"):
        checkpoint.load(tmp_path / "best.pt")


def test_weights_of_another_network_do_not_fit(tmp_path: Path) -> None:
    """Weights that are not the named network's are refused."""
    with pytest.raises(CheckpointError, match="do not fit"):
        checkpoint.load_weights(
            build(TrainConfig(network="lenet5")), made("mlp")["model_state_dict"]
        )


def test_failed_write_keeps_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a checkpoint cannot be written, the last one stays whole, and nothing else is left."""
    path = tmp_path / "best.pt"
    checkpoint.save(made(), path)
    before = path.read_bytes()
    monkeypatch.setattr(torch, "save", disk_full)
    with pytest.raises(CheckpointError, match="could not be written"):
        checkpoint.save(made(), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def disk_full(_: object, path: Path) -> None:
    """Do as `torch.save` on a full disk: write a part."""
    path.write_bytes(b"half")
    raise RuntimeError("PytorchStreamWriter failed writing file: file write failed")


def learned(**settings: Any) -> Checkpoint:
    """Return the checkpoint of a small network after one epoch of two steps."""
    config = TrainConfig(**{"network": "quick_cnn", "width": 4, "ema": 0.9, **settings})
    learner = Learner(config, torch.device("cpu"), None)
    learner.schedule(2)
    for _ in range(2):
        learner.step(learner.model(torch.rand(4, 1, 28, 28)).square().mean())
    return learner.checkpoint(1, 1, 0.5, 1.0)


def use(path: Path) -> None:
    """Use a checkpoint in every way: load it, read with it, resume it and continue."""
    content = checkpoint.load(path)
    checkpoint.network(content)
    learner = Learner(config_from(content["config"]), torch.device("cpu"), content)
    learner.schedule(2)
    learner.restore(content)
    learner.step(learner.model(torch.rand(4, 1, 28, 28)).square().mean())


def refused(path: Path) -> bool:
    """Return whether using it raises a CheckpointError; any other error is raised."""
    try:
        use(path)
    except CheckpointError:
        return True
    return False


@pytest.mark.slow
def test_broken_files_are_refused(tmp_path: Path) -> None:
    """Whatever bytes are wrong, using a checkpoint raises a CheckpointError, or works."""
    random, path = np.random.default_rng(0), tmp_path / "best.pt"
    checkpoint.save(learned(), path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        structure = next(one for one in file.infolist() if one.filename.endswith("data.pkl"))
    count = 0
    for number in range(120):
        data = bytearray(whole)
        # A third each: anywhere, in the pickle without its checksum's help, in the directory.
        start, stop = [
            (0, len(data)),
            (structure.header_offset + 64, structure.header_offset + 64 + structure.file_size),
            (len(data) - 4_000, len(data)),
        ][number % 3]
        for place in random.integers(start, stop, size=random.integers(1, 5)):
            data[place] = random.integers(256)
        if number % 10 == 0:
            del data[random.integers(len(data)) :]
        path.write_bytes(data)
        count += refused(path)
    assert count > 80


@pytest.mark.slow
def test_broken_structures_are_refused(tmp_path: Path) -> None:
    """A pickle with wrong bytes and a right checksum raises a CheckpointError, or works."""
    random, path = np.random.default_rng(0), tmp_path / "best.pt"
    checkpoint.save(learned(), path)
    with zipfile.ZipFile(path) as file:
        members = {one.filename: file.read(one) for one in file.infolist()}
    name = next(one for one in members if one.endswith("data.pkl"))
    count = 0
    for _ in range(120):
        data = bytearray(members[name])
        for place in random.integers(len(data), size=random.integers(1, 4)):
            data[place] = random.integers(256)
        with zipfile.ZipFile(path, "w") as file:
            for one, content in members.items():
                file.writestr(one, bytes(data) if one == name else content)
        count += refused(path)
    assert count > 40


ODD = (
    *(None, "x", -1, 10**30, 0.5, math.nan, math.inf, -math.inf, True, [], {}, {"a": 1}, (1, 2)),
    *(torch.zeros(3), torch.zeros(1).expand(10**12), torch.zeros(2, dtype=torch.complex64)),
    *(torch.full((10, 10), math.nan), torch.eye(3).to_sparse(), torch.zeros(2, 2, 2, 2)),
)


def places(content: dict[Any, Any]) -> list[tuple[dict[Any, Any], Any]]:
    """Return each dictionary within a checkpoint with each of its keys."""
    found = []
    for key, value in content.items():
        found.append((content, key))
        found += places(value) if isinstance(value, dict) else []
    return found


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "adadelta"])
@pytest.mark.slow
def test_odd_values_are_refused(tmp_path: Path, optimizer: str) -> None:
    """A value of a wrong type, shape or range, or none, is noticed before anything is computed."""
    random, path = np.random.default_rng(0), tmp_path / "best.pt"
    whole, count = learned(optimizer=optimizer), 0
    for _ in range(100):
        content = copy.deepcopy(whole)
        chosen = places(content)  # type: ignore[arg-type]
        holder, key = chosen[random.integers(len(chosen))]
        if random.integers(10):
            holder[key] = ODD[random.integers(len(ODD))]
        else:
            del holder[key]
        torch.save(content, path)
        count += refused(path)
    assert count > 20


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "1"},
        {"epoch": 0},
        {"epoch": 10**9},
        {"best_accuracy": math.nan},
        {"train_seconds": -math.inf},
        {"config": 5},
        {"config": {"epochs": "many"}},
        {"config": {"epochs": 10**400}},
        {"config": {"network": ["mlp"]}},
        {"model_state_dict": []},
        {"random_state": None},
    ],
    ids=str,
)
def test_impossible_values_are_refused_on_loading(tmp_path: Path, change: dict[str, Any]) -> None:
    """Values of a checkpoint that a page shows are checked."""
    torch.save({**learned(), **change}, tmp_path / "best.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of Digit Lab"):
        checkpoint.load(tmp_path / "best.pt")


def test_packed_checkpoint_is_not_unpacked(tmp_path: Path) -> None:
    """Half a gigabyte of zeros in a small file is refused before it fills memory."""
    path = tmp_path / "best.pt"
    checkpoint.save(learned(), path)
    with zipfile.ZipFile(path) as file:
        members = {one.filename: file.read(one) for one in file.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
        with file.open("best/data/bomb", "w") as stream:
            for _ in range(64):
                stream.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(CheckpointError, match="was not opened"):
        checkpoint.load(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_file_larger_than_any_checkpoint_is_not_read(tmp_path: Path) -> None:
    """Its size alone is enough to refuse it."""
    with (tmp_path / "best.pt").open("wb") as file:
        file.truncate(checkpoint.MAX_BYTES + 1)
    with pytest.raises(CheckpointError, match="was not opened"):
        checkpoint.load(tmp_path / "best.pt")


@pytest.mark.parametrize(
    "settings",
    [{"optimizer": "sgd", "momentum": 0}, {"optimizer": "sgd"}, {"optimizer": "adam"}, {"ema": 0}],
    ids=str,
)
def test_every_kind_of_whole_checkpoint_is_used(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Undamaged checkpoints of every kind that is damaged above are accepted."""
    checkpoint.save(learned(**settings), tmp_path / "best.pt")
    use(tmp_path / "best.pt")

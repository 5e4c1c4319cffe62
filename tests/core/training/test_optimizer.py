"""Our steps, against those of `torch.optim`'s classes."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from core.config import TrainConfig
from core.training.flat import Flat
from core.training.muon import orthogonalized, update
from core.training.optimizer import Optimizer

THEIRS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, 0.9, weight_decay=0.01),
    "sgd without momentum": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, 0.1, (0.9, 0.95), weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.1, (0.9, 0.95), weight_decay=0.01),
    "adadelta": lambda p: torch.optim.Adadelta(p, 0.1, weight_decay=0.01),
}


def network() -> nn.Sequential:
    """Return a small network whose convolution lies as training has it, channels last."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 5)
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def learn(model: nn.Module, seed: int) -> None:
    """Leave a random batch's gradients in a network."""
    generator = torch.Generator().manual_seed(seed)
    model(torch.randn(6, 3, 4, 4, generator=generator)).square().mean().backward()


@pytest.mark.parametrize("name", THEIRS)
def test_steps_are_torchs(name: str) -> None:
    """After several steps, weights and moments are those of torch's class, parameter by parameter.

    A state that was copied into another optimizer goes on to the same weights.
    """
    rule, *without = name.split(" ", 1)
    config = TrainConfig(
        optimizer=rule, momentum=0.0 if without else 0.9, beta2=0.95, weight_decay=0.01
    )
    theirs, ours = network(), network()
    reference, optimizer = THEIRS[name](theirs.parameters()), Optimizer(config, Flat(ours))
    for seed in range(5):
        learn(theirs, seed)
        reference.step()
        reference.zero_grad()
        learn(ours, seed)
        optimizer.step(0.1)
        if seed == 2:
            state, resumed = optimizer.state(), copy.deepcopy(ours)
    for one, other in zip(theirs.parameters(), ours.parameters(), strict=True):
        torch.testing.assert_close(other, one)
    kept = reference.state_dict()["state"]
    assert optimizer.fits(kept) and optimizer.state().keys() == kept.keys()
    torch.testing.assert_close(optimizer.state(), kept, check_stride=False)
    again = Optimizer(config, Flat(resumed))
    again.restore(state)
    for seed in (3, 4):
        learn(resumed, seed)
        again.step(0.1)
    assert all(map(torch.equal, ours.parameters(), resumed.parameters()))


@pytest.mark.parametrize(("shape", "rank"), [((8, 25), 8), ((32, 144), 5), ((40, 12), 12)])
def test_orthogonalized_matrix_keeps_its_directions(shape: tuple[int, int], rank: int) -> None:
    """Its singular vectors are the matrix's, and its singular values near 1, or 0 where it has 0.

    A layer's gradient has few directions where most of its outputs are dead.
    """
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    if rank < min(shape):
        matrix[rank:] = 0
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inside = left.T @ orthogonalized(matrix) @ right.T
    values = inside.diagonal()
    assert values[:rank].min() > 0.65 and values.max() < 1.25
    assert values[rank:].abs().sum() < 1e-3
    torch.testing.assert_close(inside, values.diag(), atol=1e-4, rtol=0)


def test_muon_steps_are_torchs() -> None:
    """On matrices, five steps go where torch's Muon goes, which rounds to 16 bits."""
    config = TrainConfig(optimizer="muon", momentum=0.95, weight_decay=0.1)
    weights = torch.randn(16, 30, generator=torch.Generator().manual_seed(0))
    theirs, ours, momentum = nn.Parameter(weights.clone()), weights.clone(), torch.zeros(16, 30)
    reference = torch.optim.Muon([theirs], 0.1, 0.1, 0.95, adjust_lr_fn="match_rms_adamw")
    for seed in range(5):
        theirs.grad = torch.randn(16, 30, generator=torch.Generator().manual_seed(seed))
        update(ours, theirs.grad, momentum, 0.1, config)
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), atol=0.02, rtol=0)
    torch.testing.assert_close(momentum, reference.state[theirs]["momentum_buffer"])


def test_muon_leaves_the_last_layer_and_vectors_to_adamw() -> None:
    """They move as AdamW moves them; a resumed optimizer goes on to the same weights."""
    config = TrainConfig(optimizer="muon", beta2=0.95, weight_decay=0.01)
    theirs, ours = network(), network()
    reference, optimizer = THEIRS["adamw"](theirs.parameters()), Optimizer(config, Flat(ours))
    learn(theirs, 0)
    reference.step()
    learn(ours, 0)
    optimizer.step(0.1)
    for number, (one, other) in enumerate(zip(theirs.parameters(), ours.parameters(), strict=True)):
        assert torch.allclose(one, other, atol=1e-6) == (number > 0)
    state, resumed = optimizer.state(), copy.deepcopy(ours)
    assert list(state[0]) == ["momentum_buffer"] and "momentum_buffer" not in state[3]
    again = Optimizer(config, Flat(resumed))
    assert again.fits(state) and not again.fits(reference.state_dict()["state"])
    again.restore(state)
    for each, model in ((optimizer, ours), (again, resumed)):
        learn(model, 1)
        each.step(0.1)
    assert all(map(torch.equal, ours.parameters(), resumed.parameters()))


def test_flat_weights_are_the_networks_own() -> None:
    """Laying them in one tensor changes no value and no layout; a change of it is theirs."""
    model, before = network(), network()
    flat = Flat(model)
    for (name, value), old in zip(
        model.state_dict().items(), before.state_dict().values(), strict=True
    ):
        assert torch.equal(value, old) and value.stride() == old.stride(), name
    flat.values.fill_(2)
    model.load_state_dict({k: v + 1 for k, v in model.state_dict().items()})
    assert flat.values.unique().tolist() == [3]
    assert [int(count) for count in flat.counts] == [1]
    assert flat.trained.numel() == sum(value.numel() for value in model.parameters())


@pytest.mark.slow
def test_a_training_loads_no_compiler() -> None:
    """A first step leaves out torch's compiler, which takes a second and 150 MB."""
    program = (
        "import sys; from core.config import TrainConfig; from core.data import mnist\n"
        "from core.training.loop import train\n"
        "config = TrainConfig(epochs=1, train_size=64, batch_size=32, validation_size=10)\n"
        "list(train(config, mnist.load('sample')))\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)

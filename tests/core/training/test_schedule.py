"""Learning rates, against torch's own schedulers."""

import pytest
import torch

from core.config import TrainConfig
from core.recipes import RECIPES
from core.training.schedule import rate_factor

EPOCHS, STEPS = 6, 10


def ours(config: TrainConfig) -> list[float]:
    """Return what our schedule multiplies the rate by, step by step."""
    return [rate_factor(config, step, STEPS) for step in range(EPOCHS * STEPS)]


def torchs(make: object, per_epoch: bool) -> list[float]:
    """Return what a scheduler of torch's makes of a rate of 1, step by step."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)  # type: ignore[operator]
    rates = []
    for step in range(EPOCHS * STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not per_epoch or (step + 1) % STEPS == 0:
            scheduler.step()
    return rates


def test_step_schedule_is_torchs_step_lr() -> None:
    """After each period of epochs the rate is multiplied by the factor."""
    config = TrainConfig(epochs=EPOCHS, schedule="step", step_every=2, step_factor=0.5)
    expected = torchs(lambda o: torch.optim.lr_scheduler.StepLR(o, 2, 0.5), per_epoch=True)
    assert ours(config) == pytest.approx(expected)


def test_exponential_schedule_is_torchs_exponential_lr() -> None:
    """Every epoch the rate is multiplied by the factor."""
    config = TrainConfig(epochs=EPOCHS, schedule="exponential", step_factor=0.7)
    expected = torchs(lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.7), per_epoch=True)
    assert ours(config) == pytest.approx(expected)


def test_cosine_schedule_is_torchs_cosine_annealing() -> None:
    """Half a cosine from the rate to its last share, over all steps."""
    config = TrainConfig(epochs=EPOCHS, schedule="cosine", final_rate=0.1)
    last = EPOCHS * STEPS - 1
    expected = torchs(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, last, 0.1), per_epoch=False
    )
    assert ours(config) == pytest.approx(expected)


def test_one_cycle_is_torchs() -> None:
    """Up from a 25th of the peak, then down to the last share, along cosines."""
    config = TrainConfig(epochs=EPOCHS, schedule="one_cycle", warmup=0.3, final_rate=0.02)
    total = EPOCHS * STEPS
    expected = torchs(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o,
            max_lr=1.0,
            total_steps=total,
            pct_start=(0.3 * (total - 1) + 1) / total,  # torch counts the warm-up's steps from 1
            final_div_factor=1 / (25 * 0.02),
            cycle_momentum=False,
        ),
        per_epoch=False,
    )
    assert ours(config) == pytest.approx(expected)


def test_constant_schedule_changes_nothing() -> None:
    """The rate does not change."""
    assert set(ours(TrainConfig(epochs=EPOCHS, schedule="constant"))) == {1.0}


def test_mlps_first_drop_comes_before_its_first_epoch() -> None:
    """The tutorial lowers its rate at epochs 0, 5, 10 and 15."""
    config = RECIPES["mlp"].config
    rates = [rate_factor(config, epoch * STEPS, STEPS) for epoch in (0, 4, 5, 19)]
    assert rates == pytest.approx([0.9, 0.9, 0.81, 0.9**4])

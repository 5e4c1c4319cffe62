"""Estimate how long a sweep will take on this machine, before it starts."""

import random
from collections.abc import Callable

from core.config import TrainConfig
from core.data.splits import split_sizes
from core.sweeps.space import Range, Settings, Space, configured
from core.sweeps.sweep import Plan
from core.training import estimate

_DRAWS = 12  # trials to average over
_TIMED = 4  # combinations of network, width and batch size that are timed, half a second each

Timed = Callable[[TrainConfig], tuple[float, float] | None]


def seconds_a_trial(plan: Plan, images: int, timed: Timed = estimate.step_seconds) -> float | None:
    """Return the mean seconds of a trial, alone on this machine and without pruning.

    It is the mean over settings drawn from the space; `images` is the number of training images.
    `timed` returns the seconds of a step and of a forward pass, or None; if it always returns None,
    so does this.
    """
    random_state = random.Random(0)  # noqa: S311  # no secret
    measured: dict[TrainConfig, tuple[float, float] | None] = {}
    found = []
    for _ in range(_DRAWS):
        config = configured(plan.base, _drawn(plan.space, random_state))
        batch = TrainConfig(
            network=config.network,
            width=config.width,
            batch_size=config.batch_size,
            precision=config.precision,
        )
        if batch not in measured:
            if len(measured) == _TIMED:
                continue
            measured[batch] = timed(batch)
        if seconds := measured[batch]:
            sizes = split_sizes(images, config.validation_size, config.train_size)
            found.append(estimate.seconds(config, sizes, seconds))
    return sum(found) / len(found) if found else None


def _drawn(space: Space, state: random.Random) -> Settings:
    drawn: Settings = {}
    for field, bounds in space.items():
        if not isinstance(bounds, Range):
            drawn[field] = state.choice(bounds.values)
        else:
            share, low, high = state.random(), bounds.low, bounds.high
            value = low * (high / low) ** share if bounds.log else low + (high - low) * share
            drawn[field] = round(value) if isinstance(low, int) else value
    return drawn

"""Estimate how long a run will take on this machine, from a few real steps of its network."""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from core.config import TrainConfig
from core.training import device, networks
from core.training.inference import autocast

_BATCH = 256  # images at most: a batch of thousands takes a server gigabytes
# The least number of steps, and the least time, so that other programs do not slow all of them.
_STEPS, _SECONDS = 4, 0.4


def step_seconds(
    config: TrainConfig, stopping: Callable[[], bool] = lambda: False
) -> tuple[float, float] | None:
    """Return the seconds of one training step and of one forward pass, for one batch.

    They are the fastest of several on random images, without the first step. In a batch of more
    than _BATCH images, each image is assumed to take as long as in a batch of _BATCH. The times do
    not include the optimizer, the augmentation and the store. None if `stopping` returned True.
    """
    where = device.choose(config.device, config.precision)
    place = torch.device(where.kind)
    model = networks.build(config).to(place).to(memory_format=torch.channels_last).train()
    timed = min(config.batch_size, _BATCH)
    images = torch.rand(timed, 1, 28, 28, device=place)
    labels = torch.randint(10, (timed,), device=place)
    steps: list[float] = []
    forwards: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(steps) < 1 + _STEPS or time.perf_counter() < end:
        begin = time.perf_counter()
        with autocast(place, where.precision):
            loss = F.cross_entropy(model(images).float(), labels)
        loss.item()  # waits for the device
        forwards.append(time.perf_counter() - begin)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        if place.type == "cuda":
            torch.cuda.synchronize()
        steps.append(time.perf_counter() - begin)
        if stopping():
            return None
    scale = config.batch_size / timed
    return scale * min(steps[1:]), scale * min(forwards[1:])


def seconds(config: TrainConfig, sizes: tuple[int, int], measured: tuple[float, float]) -> float:
    """Estimate a run's seconds from its `splits.split_sizes` and `step_seconds`."""
    (train, validation), (step, forward) = sizes, measured
    step *= 1 - 0.75 * config.small_share  # a quarter of the pixels
    forward *= 5 if config.reading_shift else 1
    return config.epochs * (train * step + validation * forward) / config.batch_size

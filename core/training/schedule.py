"""The learning rate over a run, as a share of `TrainConfig.learning_rate`. Plain Python."""

import math

from core.config import TrainConfig

_ONE_CYCLE_START = 1 / 25  # of the peak, as in Smith and Topin (2018) and PyTorch's OneCycleLR


def rate_factor(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Return the factor for the learning rate at a step, counted from 0.

    Constant, step and exponential schedules change between epochs; cosine and one-cycle change
    with every step, down to `final_rate`.
    """
    epoch = step // steps_per_epoch
    last = max(config.epochs * steps_per_epoch - 1, 1)
    match config.schedule:
        case "step":
            return config.step_factor ** (epoch // config.step_every + config.step_from_start)
        case "exponential":
            return config.step_factor**epoch
        case "cosine":
            return _cosine(1.0, config.final_rate, step / last)
        case "one_cycle":
            peak = config.warmup * last
            if step < peak:
                return _cosine(_ONE_CYCLE_START, 1.0, step / peak)
            return _cosine(1.0, config.final_rate, (step - peak) / (last - peak))
        case _:
            return 1.0


def _cosine(start: float, end: float, progress: float) -> float:
    """Go from start to end along half a cosine, `progress` in [0, 1]."""
    return end + (start - end) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2

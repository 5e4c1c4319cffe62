"""The space that a sweep searches: fields of `TrainConfig`, each with bounds or a list of values.

Bounds are written as on the command line: `0.001:0.1`, `0.001:0.1:log` (each magnitude equally
often), or `sgd,adamw`.
"""

import itertools
import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_type_hints

from core.config import TrainConfig, config_fields, has_effect
from core.errors import ConfigError
from core.fields import checked

if TYPE_CHECKING:  # optuna takes 0.3 s
    from optuna.distributions import BaseDistribution

# Fields that a sweep must not vary. With another seed or validation set, trials are not comparable;
# and each worker chooses its own device.
FIXED = ("seed", "validation_size", "device", "notes", "chosen", "chosen_by", "hardness")
LEVELS = 5  # values of a range in a grid, including both ends
LARGEST_GRID = 10_000  # combinations: a grid is held in memory, and more would take too long to try
_KINDS = get_type_hints(TrainConfig)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; with `log`, each magnitude equally often."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}" + (":log" if self.log else "")


@dataclass(frozen=True)
class Values:
    """A list of values, in no order."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ",".join(written(value) for value in self.values)


Domain = Range | Values
Space = dict[str, Domain]
Settings = dict[str, Any]  # a value for each field that varies


def written(value: Any) -> str:
    """Return a value as written on the command line."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def variable() -> list[str]:
    """Return the fields that a sweep may vary."""
    return [name for name in config_fields() if name not in FIXED]


def space_from(texts: dict[str, str]) -> Space:
    """Return a space from each field's bounds as text.

    Raises ConfigError for an unknown field, an impossible bound, or no field at all.
    """
    if not texts:
        raise ConfigError(
            "A sweep needs something to vary, such as learning_rate=0.001:0.1:log. Name a field."
        )
    return {field: domain(field, text) for field, text in texts.items()}


def domain(field: str, text: str) -> Domain:
    """Return a field's bounds or values from text. Raises ConfigError."""
    TrainConfig().changed({field: getattr(TrainConfig(), field, None)})  # an unknown field
    if field in FIXED:
        raise ConfigError(
            f"A sweep cannot vary {field}: its trials would no longer be comparable. Set it once, "
            f"for all of them, and vary one of {', '.join(variable())}."
        )
    numeric = "low" in config_fields()[field].metadata
    if ":" not in text:
        return _values(field, text.split(","))
    if not numeric:
        raise ConfigError(f"{field} takes words, not a range. Give them as {field}=A,B.")
    low, high, *log = text.split(":")
    if log not in ([], ["log"]):
        raise ConfigError(f"{field}={text} is not a range. Give LOW:HIGH or LOW:HIGH:log.")
    found = Range(_value(field, low), _value(field, high), bool(log))
    if found.low >= found.high:
        raise ConfigError(f"{field} needs a lower and a higher bound, not {text}.")
    if found.log and found.low <= 0:
        raise ConfigError(
            f"{field} cannot vary by magnitudes from {found.low:g}: those need a low bound above 0."
        )
    return found


def _values(field: str, texts: list[str]) -> Values:
    values = tuple(dict.fromkeys(_value(field, text) for text in texts))
    if len(values) < 2:
        raise ConfigError(
            f"{field} needs two values or more to vary among, such as {field}=A,B, or a range, "
            f"LOW:HIGH. To change it for all trials, set it instead."
        )
    return Values(values)


def _value(field: str, text: str) -> Any:
    return checked(config_fields()[field], _KINDS[field], text.strip())


def contains(space: Space, settings: Settings) -> bool:
    """Return whether settings lie within a space."""
    for field, bounds in space.items():
        value = settings[field]
        if isinstance(bounds, Values):
            if value not in bounds.values:
                return False
        elif not bounds.low <= value <= bounds.high:
            return False
    return True


def distributions(space: Space) -> dict[str, "BaseDistribution"]:
    """Return a space as Optuna's distributions."""
    from optuna.distributions import CategoricalDistribution as Categorical
    from optuna.distributions import FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for field, bounds in space.items():
        if isinstance(bounds, Values):
            found[field] = Categorical(bounds.values)
        elif _KINDS[field] is int:
            found[field] = IntDistribution(int(bounds.low), int(bounds.high), log=bounds.log)
        else:
            found[field] = FloatDistribution(bounds.low, bounds.high, log=bounds.log)
    return found


def whole(space: Space) -> dict[str, "BaseDistribution"]:
    """Return all possible values of a space's fields as Optuna's distributions, without its bounds.

    Trials are recorded with these, since Optuna does not allow a study's choices to change.
    """
    from optuna.distributions import CategoricalDistribution as Categorical
    from optuna.distributions import FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for field in space:
        metadata, kind = config_fields()[field].metadata, _KINDS[field]
        if "choices" in metadata:
            found[field] = Categorical(metadata["choices"])
        elif kind is bool:
            found[field] = Categorical((False, True))
        elif kind is int:
            found[field] = IntDistribution(metadata["low"], metadata["high"])
        else:
            found[field] = FloatDistribution(metadata["low"], metadata["high"])
    return found


def rounded(space: Space, settings: Settings) -> Settings:
    """Return the settings with numbers rounded to four significant digits, within the bounds."""
    return {field: _rounded(space[field], value) for field, value in settings.items()}


def _rounded(bounds: Domain, value: Any) -> Any:
    if not isinstance(value, float) or isinstance(bounds, Values):
        return value
    return min(max(float(f"{value:.4g}"), bounds.low), bounds.high)


def configured(base: TrainConfig, settings: Settings) -> TrainConfig:
    """Return a trial's configuration: the base, changed by the settings that have an effect.

    Raises ConfigError.
    """
    values = base.to_dict() | settings
    for field in settings:
        if not has_effect(field, values):
            values[field] = base.to_dict()[field]
    if not has_effect("small_share", values):
        values["small_share"] = 0.0  # other networks allow nothing else
    return replace(base, **values)


def grid(space: Space, seed: int) -> list[Settings]:
    """Return every combination, in random order by seed, so that any part covers the whole grid.

    A range becomes LEVELS values at equal distances, in logarithms if it is logarithmic, or all its
    whole numbers if there are fewer.
    """
    levels = {field: _levels(_KINDS[field], bounds) for field, bounds in space.items()}
    combinations = [
        dict(zip(levels, values, strict=True)) for values in itertools.product(*levels.values())
    ]
    random.Random(seed).shuffle(combinations)  # noqa: S311  # no secret
    return combinations


def grid_size(space: Space) -> int:
    """Return how many combinations a grid has."""
    return math.prod(len(_levels(_KINDS[field], bounds)) for field, bounds in space.items())


def _levels(kind: type, bounds: Domain) -> list[Any]:
    if isinstance(bounds, Values):
        return list(bounds.values)
    if kind is int and bounds.high - bounds.low < LEVELS:
        return list(range(int(bounds.low), int(bounds.high) + 1))
    shares = [number / (LEVELS - 1) for number in range(LEVELS)]
    if bounds.log:
        found = [bounds.low * (bounds.high / bounds.low) ** share for share in shares]
    else:
        found = [bounds.low + (bounds.high - bounds.low) * share for share in shares]
    if kind is int:
        return list(dict.fromkeys(round(value) for value in found))
    return list(dict.fromkeys(_rounded(bounds, value) for value in found))

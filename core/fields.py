"""The kinds of fields that a configuration has, and the check of a value against its field."""

import math
import re
from collections.abc import Sequence
from dataclasses import Field, field
from typing import Any

from core.errors import ConfigError

Needs = dict[str, tuple[str, ...]]  # other fields, and their values for which this one has effect


def choice(default: str, choices: tuple[str, ...], help: str, group: str) -> Any:
    """Return a field that takes one of `choices`; `metadata` has help, group and choices."""
    return field(default=default, metadata={"help": help, "group": group, "choices": choices})


def switch(default: bool, help: str, group: str, *, needs: Needs | None = None) -> Any:
    """Return a field that is true or false; `metadata` has help, group and needs."""
    return field(default=default, metadata={"help": help, "group": group, "needs": needs or {}})


def reference(help: str, group: str, *, needs: Needs | None = None) -> Any:
    """Return a field for the id of something stored elsewhere: 32 hexadecimal digits, or empty.

    Its `metadata` has help, group, needs and `reference`.
    """
    meaning = {"help": help, "group": group, "needs": needs or {}, "reference": True}
    return field(default="", metadata=meaning)


def number(
    default: float,
    bounds: tuple[float, float],
    help: str,
    group: str,
    *,
    step: float | None = None,
    end: float | None = None,
    stops: Sequence[float] | None = None,
    needs: Needs | None = None,
) -> Any:
    """Return a field that takes a number within bounds.

    Its `metadata` has help, group and needs; `low` and `high`, the bounds; and how its control
    looks. With `step`, it is a slider that ends at `end`, since the bounds may be too wide for
    one. With `stops`, it is a slider over these values. With neither, it is a box to type in.
    """
    low, high = bounds
    meaning = {"help": help, "group": group, "needs": needs or {}, "low": low, "high": high}
    hand = {"step": step, "end": high if end is None else end, "stops": stops}
    return field(default=default, metadata=meaning | hand)


def checked(spec: Field[Any], kind: type, value: Any) -> Any:
    """Return the value in the field's own type; text is converted.

    Raises ConfigError with the field, the rule and the value.
    """
    if kind is bool:
        return _checked_switch(spec.name, value)
    if "choices" in spec.metadata:
        if value not in spec.metadata["choices"]:
            choices = ", ".join(spec.metadata["choices"])
            raise ConfigError(f"{spec.name} must be one of {choices}, not {value!r}.")
        return value
    if "reference" in spec.metadata:
        if not re.fullmatch(r"([0-9a-f]{32})?", str(value), re.ASCII):
            raise ConfigError(
                f"{spec.name} must be 32 hexadecimal digits, or empty for none, not {value!r}."
            )
        return value
    low, high = spec.metadata["low"], spec.metadata["high"]
    noun = "a whole number" if kind is int else "a number"
    try:
        number = float(value)
        right = math.isfinite(number) and low <= number <= high and not isinstance(value, bool)
    except (OverflowError, TypeError, ValueError):
        right = False
    if not right or (kind is int and number != int(number)):
        raise ConfigError(f"{spec.name} must be {noun} from {low:,g} to {high:,g}, not {value!r}.")
    return kind(number)


def _checked_switch(name: str, value: Any) -> bool:
    texts = {"true": True, "false": False, "1": True, "0": False}
    if not isinstance(value, bool) and str(value).lower() not in texts:
        raise ConfigError(f"{name} must be true or false, not {value!r}.")
    return texts[str(value).lower()]

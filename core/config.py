"""`TrainConfig`: everything that decides how a training goes, validated; no torch here.

Each field carries its meaning and its bounds, so that the pages' sliders, the command line and
the error messages all speak from this one place.
"""

import difflib
import math
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, get_type_hints

from core.errors import ConfigError

NETWORKS = (
    *("fast_cnn", "quick_cnn", "strong_cnn"),
    *("simple_cnn", "digit_cnn", "mlp", "pytorch_example", "lenet5"),
)
ANY_SIZE = ("fast_cnn",)  # networks that read images of 14×14 too
OPTIMIZERS = ("sgd", "adam", "adamw", "adadelta")
SCHEDULES = ("constant", "step", "exponential", "cosine", "one_cycle")
PRECISIONS = ("auto", "float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda", "mps")


def _one_of(choices: tuple[str, ...], default: str, help: str) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


def _between(low: float, high: float, default: float, help: str) -> Any:
    return field(default=default, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run's settings. Raises ConfigError for an impossible value."""

    network: str = _one_of(NETWORKS, "fast_cnn", "Which network learns.")
    width: int = _between(
        4, 64, 16, "Channels of quick_cnn's first layer. Twice as many do four times the work."
    )
    epochs: int = _between(
        1, 200, 4, "Passes over the training images. More learns longer, then overfits."
    )
    batch_size: int = _between(
        2, 8192, 256, "Images per step. Larger is faster an epoch, with fewer steps to learn in."
    )
    optimizer: str = _one_of(OPTIMIZERS, "adamw", "How gradients become steps.")
    learning_rate: float = _between(
        1e-6, 10, 5e-3, "Size of a step. Higher learns faster, and past a point diverges."
    )
    momentum: float = _between(
        0, 0.999, 0.9, "How much of the last step is kept. SGD alone uses it."
    )
    beta2: float = _between(
        0.5,
        0.9999,
        0.999,
        "How much Adam keeps of earlier gradients' sizes. Lower adapts sooner: for short runs.",
    )
    weight_decay: float = _between(
        0, 1, 1e-4, "Pulls weights towards zero. More fits the training images less closely."
    )
    schedule: str = _one_of(SCHEDULES, "one_cycle", "How the learning rate changes over the run.")
    step_every: int = _between(
        1, 200, 5, "Epochs between two drops of the learning rate (step schedule)."
    )
    step_factor: float = _between(
        0.01, 1, 0.5, "What each drop multiplies the rate by (step and exponential schedules)."
    )
    step_from_start: bool = field(
        default=False,
        metadata={"help": "Whether the first drop comes before the first epoch (step schedule)."},
    )
    warmup: float = _between(
        0, 0.9, 0.2, "Share of the run in which the rate climbs to its peak (one-cycle)."
    )
    final_rate: float = _between(
        0, 1, 0.01, "Last learning rate, as a share of the highest (cosine and one-cycle)."
    )
    ema: float = _between(
        0,
        0.9999,
        0.0,
        "How much of the running mean of the weights each step keeps; the mean reads the digits. "
        "0 is no averaging.",
    )
    dropout: float = _between(
        0, 0.9, 0.0, "Share of the features silenced at random while training. More overfits less."
    )
    label_smoothing: float = _between(
        0, 0.5, 0.0, "Probability taken from the true digit and spread over all ten."
    )
    rotation: float = _between(
        0, 45, 0.0, "Training images are turned by up to this many degrees either way."
    )
    shift: int = _between(0, 8, 0, "Training images are moved by up to this many pixels each way.")
    scale: float = _between(
        0, 0.5, 0.0, "Training images grow or shrink by up to this share: 0.1 is 10 %."
    )
    shear: float = _between(
        0, 45, 0.0, "Training images are slanted by up to this many degrees either way."
    )
    aspect: float = _between(
        0, 0.5, 0.0, "Training images grow wider or narrower by up to this share, not higher."
    )
    elastic: float = _between(
        0,
        4,
        0.0,
        "Training images are bent like rubber, each point by about this many pixels.",
    )
    thickness: float = _between(
        0,
        1,
        0.0,
        "Strokes grow thicker or thinner by up to this many pixels on either side.",
    )
    small_share: float = _between(
        0,
        1,
        0.0,
        "Share of the run, from its start, that sees images of 14 × 14: a quarter of the work.",
    )
    mean: float = _between(
        0, 1, 0.1307, "Taken from each pixel (0 black, 1 white). MNIST's own mean is 0.1307."
    )
    std: float = _between(
        0.01, 10, 0.3081, "Each pixel is then divided by this. MNIST's own deviation is 0.3081."
    )
    reading_shift: int = _between(
        0,
        2,
        0,
        "Pixels by which a digit is also moved, four ways, when it is read; the five answers are "
        "averaged. 0 reads once.",
    )
    validation_size: int = _between(
        10,
        30_000,
        5_000,
        "Images held out of training to choose the best epoch; at most a quarter of what there is.",
    )
    train_size: int = _between(
        0, 60_000, 0, "How many training images to learn from, drawn evenly by digit; 0 is all."
    )
    seed: int = _between(
        0, 2**31 - 1, 0, "Starts every random choice. Same seed, same machine, same numbers."
    )
    precision: str = _one_of(
        PRECISIONS,
        "auto",
        "Numbers of 32 or 16 bits. 16 is faster where the chip has it, and many times slower "
        "where it has not.",
    )
    device: str = _one_of(DEVICES, "auto", "Where it computes. Auto takes the fastest there is.")
    patience: int = _between(
        0,
        200,
        0,
        "Stop after this many epochs in a row below the best validation accuracy; 0 is never.",
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be, naming the field, the rule and the value."""
        types = get_type_hints(TrainConfig)
        for spec in fields(self):
            object.__setattr__(
                self, spec.name, _checked(spec, types[spec.name], getattr(self, spec.name))
            )
        if self.small_share and self.network not in ANY_SIZE:
            raise ConfigError(
                f"small_share must be 0 for {self.network}, not {self.small_share:g}: only "
                f"{', '.join(ANY_SIZE)} can read images of two sizes."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)

    def changed(self, changes: dict[str, Any]) -> "TrainConfig":
        """Return a copy with some fields changed; values may be text, as a command line has them.

        Raises ConfigError for an unknown field, with the nearest known one, or a bad value.
        """
        known = [spec.name for spec in fields(self)]
        for name in changes:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(known)}."
                raise ConfigError(f"There is no setting called {name!r}.{hint}")
        return replace(self, **changes)


def config_fields() -> dict[str, Field[Any]]:
    """Return the fields by name; `metadata` has `help` and `low` and `high`, or `choices`."""
    return {spec.name: spec for spec in fields(TrainConfig)}


def config_from(values: dict[str, Any]) -> TrainConfig:
    """Build a configuration from stored values, without settings that another version had.

    Raises ConfigError as TrainConfig does.
    """
    known = config_fields()
    return TrainConfig(**{name: value for name, value in values.items() if name in known})


def _checked(spec: Field[Any], kind: type, value: Any) -> Any:
    """Return the value in the field's own type, or raise ConfigError."""
    if kind is bool:
        texts = {"true": True, "false": False, "1": True, "0": False}
        if not isinstance(value, bool) and str(value).lower() not in texts:
            raise ConfigError(f"{spec.name} must be true or false, not {value!r}.")
        return texts[str(value).lower()]
    if "choices" in spec.metadata:
        if value not in spec.metadata["choices"]:
            choices = ", ".join(spec.metadata["choices"])
            raise ConfigError(f"{spec.name} must be one of {choices}, not {value!r}.")
        return value
    low, high = spec.metadata["low"], spec.metadata["high"]
    noun = "a whole number" if kind is int else "a number"
    try:
        number = float(value)
        right = math.isfinite(number) and low <= number <= high and not isinstance(value, bool)
    except (TypeError, ValueError):
        right = False
    if not right or (kind is int and number != int(number)):
        raise ConfigError(f"{spec.name} must be {noun} from {low:,g} to {high:,g}, not {value!r}.")
    return kind(number)

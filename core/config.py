"""`TrainConfig`: every setting of a training, validated; no torch here.

Each field has a help line, bounds, a group and the fields that it depends on. The pages' controls,
the command line and the error messages are all made from these.
"""

import difflib
from dataclasses import Field, asdict, dataclass, fields, replace
from typing import Any, get_type_hints

from core.errors import ConfigError
from core.fields import Needs, checked, choice, number, reference, switch

NETWORKS = (
    *("fast_cnn", "quick_cnn", "strong_cnn"),
    *("simple_cnn", "digit_cnn", "mlp", "pytorch_example", "lenet5"),
)
ANY_SIZE = ("fast_cnn",)  # networks that also read images of 14 × 14
OPTIMIZERS = ("sgd", "adam", "adamw", "adadelta", "muon")
SCHEDULES = ("constant", "step", "exponential", "cosine", "one_cycle")
PRECISIONS = ("auto", "float32", "bfloat16")
DEVICES = ("auto", "cpu", "cuda", "mps")


COMMON = ""  # the settings that people change most often; this group has no title
OPTIMIZATION = "Network, optimizer and schedule"
REGULARISATION = "Regularisation and augmentation"
MACHINE = "Data, seed and machine"


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One training run's settings. Raises ConfigError for an impossible value."""

    network: str = choice("fast_cnn", NETWORKS, "Which network learns.", COMMON)
    width: int = number(
        16,
        (4, 64),
        "Channels of quick_cnn's first layer. Twice as many take about four times the work.",
        OPTIMIZATION,
        step=4,
        needs={"network": ("quick_cnn",)},
    )
    epochs: int = number(
        4,
        (1, 200),
        "Passes over the training images. More passes learn more, and at some point overfit.",
        COMMON,
        end=50,
        step=1,
    )
    batch_size: int = number(
        256,
        (2, 8192),
        "Images per step. With more, an epoch is faster, but it has fewer steps to learn in.",
        OPTIMIZATION,
        stops=[2**power for power in range(3, 13)],
    )
    optimizer: str = choice(
        "adamw",
        OPTIMIZERS,
        "How gradients change the weights. Muon needs the fewest steps; each takes longer, most of "
        "all with wide layers.",
        OPTIMIZATION,
    )
    learning_rate: float = number(
        5e-3,
        (1e-6, 10),
        "Size of each step. A higher rate learns faster, until training diverges.",
        COMMON,
        stops=[a * 10.0**b for b in range(-5, 1) for a in (1, 2, 3, 5)],
    )
    momentum: float = number(
        0.9,
        (0, 0.999),
        "How much of the previous step is added to the next.",
        OPTIMIZATION,
        end=0.99,
        step=0.01,
        needs={"optimizer": ("sgd", "muon")},
    )
    beta2: float = number(
        0.999,
        (0.5, 0.9999),
        "How long Adam remembers the size of earlier gradients. Lower values adapt sooner, which "
        "suits short runs.",
        OPTIMIZATION,
        end=0.999,
        step=0.001,
        needs={"optimizer": ("adam", "adamw", "muon")},
    )
    weight_decay: float = number(
        1e-4,
        (0, 1),
        "Pulls the weights towards zero. With more, the network fits the training images less "
        "closely.",
        OPTIMIZATION,
        stops=[0.0, *(a * 10.0**b for b in range(-6, 0) for a in (1, 3))],
    )
    schedule: str = choice(
        "one_cycle", SCHEDULES, "How the learning rate changes over the run.", OPTIMIZATION
    )
    step_every: int = number(
        5,
        (1, 200),
        "Epochs between two drops of the learning rate.",
        OPTIMIZATION,
        end=20,
        step=1,
        needs={"schedule": ("step",)},
    )
    step_factor: float = number(
        0.5,
        (0.01, 1),
        "Each drop multiplies the learning rate by this.",
        OPTIMIZATION,
        step=0.05,
        needs={"schedule": ("step", "exponential")},
    )
    step_from_start: bool = switch(
        False,
        "Whether the first drop comes before the first epoch.",
        OPTIMIZATION,
        needs={"schedule": ("step",)},
    )
    warmup: float = number(
        0.2,
        (0, 0.9),
        "Share of the run in which the learning rate climbs to its peak.",
        OPTIMIZATION,
        step=0.05,
        needs={"schedule": ("one_cycle",)},
    )
    final_rate: float = number(
        0.01,
        (0, 1),
        "The last learning rate, as a share of the highest.",
        OPTIMIZATION,
        step=0.01,
        needs={"schedule": ("cosine", "one_cycle")},
    )
    ema: float = number(
        0.0,
        (0, 0.9999),
        "How much of the running mean of the weights each step keeps. Digits are read with the "
        "mean. 0 turns it off.",
        OPTIMIZATION,
        end=0.999,
        step=0.001,
    )
    dropout: float = number(
        0.0,
        (0, 0.9),
        "Share of the features that are switched off at random in each training step. With more, "
        "the network overfits less.",
        REGULARISATION,
        step=0.05,
    )
    label_smoothing: float = number(
        0.0,
        (0, 0.5),
        "Probability taken from the true digit and spread over all ten.",
        REGULARISATION,
        step=0.01,
    )
    rotation: float = number(
        0.0,
        (0, 45),
        "Training images are turned by up to this many degrees either way.",
        REGULARISATION,
        step=1,
    )
    shift: int = number(
        0,
        (0, 8),
        "Training images are moved by up to this many pixels each way.",
        REGULARISATION,
        step=1,
    )
    scale: float = number(
        0.0,
        (0, 0.5),
        "Training images grow or shrink by up to this share: 0.1 is 10 %.",
        REGULARISATION,
        step=0.01,
    )
    shear: float = number(
        0.0,
        (0, 45),
        "Training images are slanted by up to this many degrees either way.",
        REGULARISATION,
        step=1,
    )
    aspect: float = number(
        0.0,
        (0, 0.5),
        "Training images grow wider or narrower by up to this share; their height stays.",
        REGULARISATION,
        step=0.01,
    )
    elastic: float = number(
        0.0,
        (0, 4),
        "Training images are bent like rubber, each point by about this many pixels.",
        REGULARISATION,
        step=0.1,
    )
    thickness: float = number(
        0.0,
        (0, 1),
        "Strokes grow thicker or thinner by up to this many pixels on either side.",
        REGULARISATION,
        step=0.1,
    )
    small_share: float = number(
        0.0,
        (0, 1),
        "Share of the run, from its start, that trains on images of 14 × 14: a quarter of the "
        "work.",
        REGULARISATION,
        step=0.05,
        needs={"network": ANY_SIZE},
    )
    mean: float = number(
        0.1307,
        (0, 1),
        "Subtracted from each pixel (0 black, 1 white). MNIST's own mean is 0.1307.",
        MACHINE,
    )
    std: float = number(
        0.3081,
        (0.001, 10),
        "Each pixel is then divided by this. MNIST's own standard deviation is 0.3081.",
        MACHINE,
    )
    reading_shift: int = number(
        0,
        (0, 2),
        "To read a digit, it is also moved by this many pixels in four directions, and the five "
        "answers are averaged. 0 reads it once.",
        REGULARISATION,
        step=1,
    )
    validation_size: int = number(
        5_000,
        (10, 30_000),
        "Images held out of training to choose the best epoch; at most a quarter of all images.",
        MACHINE,
    )
    train_size: int = number(
        0,
        (0, 60_000),
        "How many training images to learn from, in equal shares of each digit; 0 means all.",
        COMMON,
        stops=[0, 100, 300, 1_000, 3_000, 10_000, 30_000, 50_000],
    )
    chosen: str = choice(
        "random",
        ("random", "hardest", "easiest"),
        "Which images to learn from, if not all: random ones, or those that another run found "
        "hardest or easiest.",
        MACHINE,
    )
    chosen_by: str = reference(
        "The id of the run that recorded how hard each image is.",
        MACHINE,
        needs={"chosen": ("hardest", "easiest")},
    )
    hardness: bool = switch(
        False,
        "Whether to record how hard each training image is: how late it is learned, and how often "
        "it is forgotten.",
        MACHINE,
    )
    notes: str = reference(
        "The checksum of notes on labels. Training images whose label the notes call wrong are "
        "left out.",
        MACHINE,
    )
    seed: int = number(
        0,
        (0, 2**31 - 1),
        "Where the random numbers start. The same seed on the same machine gives the same results.",
        MACHINE,
    )
    precision: str = choice(
        "auto",
        PRECISIONS,
        "Compute with numbers of 32 or 16 bits. 16 bits are faster on chips that support them, "
        "and many times slower on others.",
        MACHINE,
    )
    device: str = choice(
        "auto", DEVICES, "What to compute on. Auto takes the fastest device there is.", MACHINE
    )
    patience: int = number(
        0,
        (0, 200),
        "Stop after this many epochs in a row below the best validation accuracy; 0 means never.",
        MACHINE,
        end=20,
        step=1,
    )

    def __post_init__(self) -> None:
        """Raise ConfigError for an impossible value, naming the field, the rule and the value."""
        types = get_type_hints(TrainConfig)
        for spec in fields(self):
            object.__setattr__(
                self, spec.name, checked(spec, types[spec.name], getattr(self, spec.name))
            )
        if self.small_share and self.network not in ANY_SIZE:
            raise ConfigError(
                f"small_share must be 0 for {self.network}, not {self.small_share:g}: only "
                f"{', '.join(ANY_SIZE)} can read images of two sizes."
            )
        if self.chosen != "random" and not self.chosen_by:
            raise ConfigError(
                f"chosen_by must name a run that recorded hardness, for the {self.chosen} images. "
                "Train one with hardness=true, and choose it."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, for JSON."""
        return asdict(self)

    def changed(self, changes: dict[str, Any]) -> "TrainConfig":
        """Return a copy with some fields changed; values may be text, as on the command line.

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
    """Return the fields by name. `core.fields` describes their `metadata`."""
    return {spec.name: spec for spec in fields(TrainConfig)}


def has_effect(name: str, values: dict[str, Any]) -> bool:
    """Return whether a field has any effect, given the other fields' values."""
    needs: Needs = config_fields()[name].metadata.get("needs", {})
    return all(values[other] in wanted for other, wanted in needs.items())


def config_from(values: dict[str, Any]) -> TrainConfig:
    """Build a configuration from stored values; ignore settings that this version does not have.

    Raises ConfigError as TrainConfig does.
    """
    known = config_fields()
    return TrainConfig(**{name: value for name, value in values.items() if name in known})

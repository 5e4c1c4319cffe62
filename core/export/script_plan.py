"""The plan of a training script: what it repeats, and whether it can."""

from dataclasses import dataclass
from typing import Any

from core.config import DEVICES, PRECISIONS, TrainConfig, config_fields, has_effect
from core.data.digits import TRAINING_IMAGES
from core.errors import ConfigError
from core.recipes import RECIPES

# The settings that a script repeats. Any other must have its default value.
_KNOWN = frozenset(
    {
        *("network", "width", "epochs", "batch_size", "optimizer", "learning_rate", "momentum"),
        *("beta2", "weight_decay", "schedule", "step_every", "step_factor", "step_from_start"),
        *("warmup", "final_rate", "ema", "dropout", "label_smoothing", "rotation", "shift"),
        *("scale", "shear", "aspect", "elastic", "thickness", "small_share", "mean", "std"),
        *("reading_shift", "validation_size", "train_size", "seed", "precision", "device"),
        *("patience", "hardness"),  # hardness changes nothing that is learned
    }
)

# Settings that refer to something Digit Lab stores: why a script cannot have it, and what to do.
_KEPT = {
    "chosen": "another run recorded which images are hard. Choose random images",
    "notes": "people noted which labels are wrong. Learn from all labels",
}


@dataclass(frozen=True)
class Plan:
    """What a script repeats: the settings, the data, the recipe and the device.

    `data` is a key of SOURCES; `recipe` one of RECIPES, or empty; `device` is cpu, cuda or mps, and
    `precision` float32 or bfloat16.
    """

    config: TrainConfig
    data: str
    recipe: str
    device: str
    precision: str

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Return the settings that differ from the recipe's: the value here, then the recipe's.

        Settings without effect do not count. Without a recipe there are no changes.
        """
        if self.recipe not in RECIPES:
            return {}
        ours, theirs = (one.to_dict() for one in (self.config, RECIPES[self.recipe].config))
        return {
            name: (value, theirs[name])
            for name, value in ours.items()
            if value != theirs[name] and has_effect(name, ours)
        }

    def mark(self, *names: str) -> str:
        """Return the comment for the line of these settings: the recipe's values, if changed."""
        replaced = [theirs for name, (_, theirs) in self.changes().items() if name in names]
        return f"  # recipe: {', '.join(map(literal, replaced))}" if replaced else ""

    def check(self) -> None:
        """Raise ConfigError, with the setting's name, if a script cannot repeat the settings."""
        fields, values = config_fields(), self.config.to_dict()
        for name in [one for one in values if one not in _KNOWN]:
            if values[name] != fields[name].default and has_effect(name, values):
                if why := _KEPT.get(name):
                    raise ConfigError(
                        f"A script cannot repeat these settings: {why} to get a script."
                    )
                raise ConfigError(
                    f"A script cannot repeat these settings: it does not know {name}, which is "
                    f"{values[name]}. Set it to {fields[name].default} to get a script."
                )
        if self.data not in TRAINING_IMAGES:
            raise ConfigError(
                f"A script cannot repeat these settings: it does not know the data {self.data!r}. "
                "Train on MNIST or on the sample to get a script."
            )
        if self.device not in DEVICES or self.precision not in PRECISIONS:
            raise ConfigError(
                f"A script cannot repeat these settings: it does not know the device "
                f"{self.device!r} with the precision {self.precision!r}."
            )


def literal(value: Any) -> str:
    """Return a setting's value as Python source."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 10_000:
        return f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else repr(value)

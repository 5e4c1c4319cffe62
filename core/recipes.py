"""The named recipes: configurations known to work, with what their authors report."""

import difflib
from dataclasses import dataclass

from core.config import TrainConfig
from core.errors import ConfigError


@dataclass(frozen=True)
class Recipe:
    """A named starting point. `reported` is its source's test accuracy in [0, 1], or None."""

    name: str
    summary: str
    config: TrainConfig
    reported: float | None = None


_TUTORIALS_CHOSE = "Its author chose the figure reported on the test set; here validation chooses."

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "fast_cnn",
            "Small and quick: early down-sampling, one-cycle rate, random shifts. "
            "The one to start with.",
            TrainConfig(
                network="fast_cnn",
                epochs=4,
                batch_size=256,
                optimizer="adamw",
                learning_rate=1e-2,
                weight_decay=1e-2,
                schedule="one_cycle",
                shift=2,
            ),
        ),
        Recipe(
            "simple_cnn",
            f"Two convolutions with batch normalisation, 421,834 parameters. {_TUTORIALS_CHOSE}",
            TrainConfig(
                network="simple_cnn",
                epochs=10,
                batch_size=64,
                optimizer="adam",
                learning_rate=1e-3,
                weight_decay=1e-4,
                schedule="step",
                step_every=5,
                step_factor=0.5,
                dropout=0.4,
            ),
            reported=0.992,
        ),
        Recipe(
            "digit_cnn",
            f"Two convolutions and a wide layer of 500, 1,007,590 parameters. {_TUTORIALS_CHOSE}",
            TrainConfig(
                network="digit_cnn",
                epochs=5,
                batch_size=128,
                optimizer="adam",
                learning_rate=1e-3,
                weight_decay=0,
                schedule="constant",
            ),
            reported=0.987,
        ),
        Recipe(
            "mlp",
            "Fully connected layers alone, 784 → 300 → 100 → 10. Its tutorial applies softmax "
            "before cross-entropy, which caps what it can learn; here cross-entropy gets the "
            "logits.",
            TrainConfig(
                network="mlp",
                epochs=20,
                batch_size=64,
                optimizer="sgd",
                learning_rate=0.01,
                momentum=0.9,
                weight_decay=0,
                schedule="step",
                step_every=5,
                step_factor=0.9,
                step_from_start=True,
                mean=0.5,
                std=0.5,
            ),
        ),
        Recipe(
            "pytorch_example",
            f"PyTorch's own MNIST example: two unpooled convolutions, Adadelta. {_TUTORIALS_CHOSE}",
            TrainConfig(
                network="pytorch_example",
                epochs=14,
                batch_size=64,
                optimizer="adadelta",
                learning_rate=1.0,
                weight_decay=0,
                schedule="exponential",
                step_factor=0.7,
                dropout=0.5,
            ),
            reported=0.992,
        ),
        Recipe(
            "lenet5",
            "The network of LeCun et al. (1998) in today's terms: tanh, average pooling, Adam.",
            TrainConfig(
                network="lenet5",
                epochs=10,
                batch_size=64,
                optimizer="adam",
                learning_rate=1e-3,
                weight_decay=0,
                schedule="cosine",
            ),
            reported=0.9905,
        ),
    )
}


def recipe(name: str) -> Recipe:
    """Return the recipe of that name. Raises ConfigError, with the nearest, if there is none."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(RECIPES)}."
        raise ConfigError(f"There is no recipe called {name!r}. {hint}")
    return RECIPES[name]

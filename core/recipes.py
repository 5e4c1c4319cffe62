"""The named recipes: configurations known to work, with what their authors report."""

import difflib
from dataclasses import dataclass

from core.config import TrainConfig
from core.errors import ConfigError


@dataclass(frozen=True)
class Measured:
    """Means over runs with different seeds, by `python -m benchmarks.speed accuracy`."""

    test_accuracy: float  # in [0, 1]
    seconds: float
    runs: int


MEASURED_ON = "2 cores of an AMD EPYC without a GPU, bfloat16"


@dataclass(frozen=True)
class Recipe:
    """A named configuration to start from; pages show its title.

    `reported` is the test accuracy that its source reports, in [0, 1], or None.
    """

    name: str
    title: str
    summary: str
    config: TrainConfig
    reported: float | None = None
    measured: Measured | None = None


_TUTORIALS_CHOSE = "Its author chose the figure reported on the test set; here validation chooses."

_FAST = TrainConfig(
    network="quick_cnn",
    epochs=1,
    batch_size=128,
    optimizer="adamw",
    learning_rate=1e-2,
    beta2=0.95,
    weight_decay=1e-2,
    schedule="one_cycle",
    label_smoothing=0.1,
    shift=1,
)

_TINY = _FAST.changed({"width": 8, "reading_shift": 1})

_STRONG = _FAST.changed({"network": "strong_cnn", "shift": 2, "ema": 0.999})

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "fast_cnn",
            "Quick start: small and fast",
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
            "fast_990",
            "Tiny, few steps",
            "99.0 % from 40,000 images, each seen once: a tiny network, few and large steps of the "
            "optimizer Muon, a learning rate that rises and falls once, and each digit read five "
            "times, moved by a pixel.",
            _TINY.changed({"optimizer": "muon", "batch_size": 256}).changed(
                {"learning_rate": 0.04, "train_size": 40_000}
            ),
            measured=Measured(0.9910, 1.81, 10),
        ),
        Recipe(
            "fast_992",
            "Tiny, one pass",
            "99.2 % in one pass over all images by the same tiny network, in nearly three times as "
            "many steps.",
            _TINY,
            measured=Measured(0.9924, 2.76, 10),
        ),
        Recipe(
            "fast_995",
            "Wider, two passes",
            "99.5 %: three times as wide, two passes over all images, digits moved further.",
            _TINY.changed({"width": 24, "epochs": 2, "shift": 2, "optimizer": "muon"}),
            measured=Measured(0.9952, 12.8, 5),
        ),
        Recipe(
            "fast_997",
            "Strong, sixteen passes",
            "99.7 %: a strong network, sixteen passes over digits that are slanted too, the "
            "mean of its weights, and each digit read five times, moved by a pixel.",
            _STRONG.changed({"epochs": 16, "optimizer": "muon", "learning_rate": 0.006}).changed(
                {"rotation": 8, "scale": 0.08, "shear": 8, "reading_shift": 1}
            ),
            measured=Measured(0.9971, 240, 5),
        ),
        Recipe(
            "ink_cnn",
            "For real handwriting",
            "For real handwriting: the same network learns digits that are slanted, "
            "stretched, bent and thicker or thinner than MNIST's.",
            _STRONG.changed(
                {"epochs": 24, "rotation": 10, "scale": 0.1, "shear": 15, "aspect": 0.15}
            ).changed({"elastic": 0.5, "thickness": 0.8}),
        ),
        Recipe(
            "simple_cnn",
            "Classic: two convolutions",
            f"Two convolutions with batch normalization, 421,834 parameters. {_TUTORIALS_CHOSE}",
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
            "Classic: two convolutions, one wide layer",
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
            "Fully connected, no convolutions",
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
            "PyTorch's own example",
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
            "LeNet-5, as in 1998",
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
    """Return the recipe of that name. Raises ConfigError, which suggests the nearest name."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(RECIPES)}."
        raise ConfigError(f"There is no recipe called {name!r}. {hint}")
    return RECIPES[name]

"""The settings' names on pages: everyday words, followed by the technical term."""

from typing import Any

LABELS = {
    "network": "Network",
    "width": "Width of the network (channels)",
    "epochs": "Passes over the images (epochs)",
    "batch_size": "Images per step (batch size)",
    "optimizer": "Optimizer",
    "learning_rate": "Size of a step (learning rate)",
    "momentum": "Push kept from the last step (momentum)",
    "beta2": "Memory of earlier gradients (beta 2)",
    "weight_decay": "Pull towards zero (weight decay)",
    "schedule": "Learning rate over the run (schedule)",
    "step_every": "Epochs between two drops (step size)",
    "step_factor": "Factor of each drop (gamma)",
    "step_from_start": "First drop before the first epoch",
    "warmup": "Share of the run that climbs (warm-up)",
    "final_rate": "Last learning rate, as a share of the highest",
    "ema": "Average of the weights (EMA)",
    "dropout": "Features switched off (dropout)",
    "label_smoothing": "Doubt in the labels (label smoothing)",
    "rotation": "Turn, in degrees (rotation)",
    "shift": "Move, in pixels (shift)",
    "scale": "Grow or shrink (scale)",
    "shear": "Slant, in degrees (shear)",
    "aspect": "Widen or narrow (aspect ratio)",
    "elastic": "Bend, in pixels (elastic distortion)",
    "thickness": "Thicken or thin, in pixels (stroke width)",
    "small_share": "Share of the run on small images (progressive resizing)",
    "mean": "Brightness taken away (mean)",
    "std": "Brightness divided by (standard deviation)",
    "reading_shift": "Pixels moved to read five times (test-time augmentation)",
    "validation_size": "Images held out (validation set)",
    "train_size": "Images to learn from (training set)",
    "chosen": "Which images, if not all",
    "chosen_by": "Hard or easy for which run",
    "hardness": "Record which images are hard (forgetting)",
    "notes": "Labels noted wrong",
    "seed": "Number of the random start (seed)",
    "precision": "Precision of numbers",
    "device": "Device",
    "patience": "Epochs without gain before it stops (early stopping)",
}

# The names of choices on pages; choices that are words already are not listed.
CHOICES = {
    "fast_cnn": "Fast CNN",
    "quick_cnn": "Quick CNN",
    "strong_cnn": "Strong CNN",
    "simple_cnn": "Simple CNN",
    "digit_cnn": "Digit CNN",
    "mlp": "MLP",
    "pytorch_example": "PyTorch's example",
    "lenet5": "LeNet-5",
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "adadelta": "Adadelta",
    "muon": "Muon",
    "one_cycle": "one cycle",
    "cpu": "processor (cpu)",
    "cuda": "NVIDIA GPU (cuda)",
    "mps": "Apple GPU (mps)",
}


def shown(name: str, value: Any) -> str:
    """Return a setting's value as text for people; a dash if it is not known."""
    if value is None:
        return "–"
    if name == "train_size" and value == 0:
        return "all"
    if name == "notes":
        return f"left out, as noted ({value[:6]})" if value else "learned like the others"
    if name == "chosen_by":
        return value[:6] or "none chosen"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return CHOICES.get(value, value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.6f}".rstrip("0").rstrip(".")


def term(name: str) -> str:
    """Return the technical term for a setting, such as `learning rate`."""
    return name.replace("_", " ")


def title(name: str) -> str:
    """Return a setting's term as the heading of a column: `Learning rate`."""
    text = term(name)
    return text[:1].upper() + text[1:]


def label(name: str) -> str:
    """Return the label of a row of `compare.differing`: for a setting, that of its control.

    For example, `learning_rate` becomes `Size of a step (learning rate)`, and `data checksum`
    becomes `Data checksum`.
    """
    return LABELS.get(name) or title(name)

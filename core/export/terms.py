"""Which runs can be exported, and which files imported. No torch here, so that pages load fast."""

from typing import NamedTuple

from core.runs.run import Run

MAX_BYTES = 64 * 2**20  # of an imported file; the weights of our largest network take 5 MB
SUFFIXES = ("zip", "onnx", "safetensors", "pt", "pth")
UNKNOWN = "unknown"  # the value of `Run.data` if it is not known what a network learned from
LEARNED = {
    UNKNOWN: "I do not know: it may have seen any image here",
    "mnist": "MNIST's 60,000 training images, never its test images",
}

PIXELS = {  # ways to prepare pixels in [0, 1]: in words, then (what is subtracted, the divisor)
    "0..1": ("from 0 to 1", (0.0, 1.0)),
    "-1..1": ("from -1 to 1", (0.5, 0.5)),
    "mnist": ("normalized by MNIST's mean and deviation", (0.1307, 0.3081)),
    "0..255": ("from 0 to 255", (0.0, 1 / 255)),
}
TRY = "try"  # instead of a way: take the one with which the network reads best


class File(NamedTuple):
    """One file of an export: its name, its bytes, and a phrase about it."""

    name: str
    content: bytes
    about: str


def why_not(run: Run) -> str:
    """Return why a run cannot be exported now; an empty text if it can."""
    if not run.state.is_over:
        return f"The run {run.name} is {run.state}. Export it when it has ended."
    if run.best_epoch is None:
        return f"The run {run.name} has no network, since it completed no epoch. Choose another."
    if run.why_sealed:
        return f"The run {run.name} was imported from an ONNX file. Use that file."
    return ""

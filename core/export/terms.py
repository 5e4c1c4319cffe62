"""What may leave and come in: which runs, which files, how large. No torch here, for the pages."""

from typing import NamedTuple

from core.runs.run import Run

MAX_BYTES = 64 * 2**20  # of a file taken in; the largest network's weights here have 5 MB
SUFFIXES = ("zip", "safetensors", "pt", "pth")
UNKNOWN = "unknown"  # as `Run.data`: what a network learned from is not known
LEARNED = {
    UNKNOWN: "I do not know: it may have seen any image here",
    "mnist": "MNIST's 60,000 training images, never its test images",
}


class File(NamedTuple):
    """One file of an export: its name, its bytes, and in a sentence what it is."""

    name: str
    content: bytes
    about: str


def why_not(run: Run) -> str:
    """Return why a run cannot be exported now; nothing if it can."""
    if not run.state.is_over:
        return f"The run {run.name} is {run.state}. Export it when it has ended."
    if run.best_epoch is None:
        return f"The run {run.name} has no network, since it completed no epoch. Choose another."
    return ""

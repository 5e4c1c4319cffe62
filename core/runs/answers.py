"""A run's answers on its validation and test images, kept so that nothing recomputes them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.data import mnist
from core.data.digits import SOURCES, Digits
from core.data.splits import split_for
from core.errors import CheckpointError, RunError
from core.evaluation import metrics
from core.runs import files
from core.runs.run import Run

if TYPE_CHECKING:  # torch takes 2 s, and stored answers need none
    from core.training.checkpoint import Checkpoint


SPLITS = ("test", "validation")
KNOWN = "known"  # in place of "test" where the run may have learned from the test images


@dataclass(frozen=True)
class Result:
    """A run on a split: `probabilities (N, 10)`, `images (N, 28, 28) uint8`, `labels (N,)`.

    `indices` are the images' positions in the data set's training or test images.
    """

    probabilities: NDArray[np.float32]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    indices: NDArray[np.int64]


def save(folder: Path, split: str, probabilities: NDArray[np.float32]) -> None:
    """Keep a split's `(N, 10)` answers in a run's folder. Raises CheckpointError."""
    partial = folder / f"{split}.partial"
    try:
        with partial.open("wb") as file:
            np.save(file, probabilities, allow_pickle=False)
        partial.replace(folder / f"{split}.npy")
    except OSError as error:
        raise CheckpointError(
            f"The answers on {split} could not be written to {folder}: {error.strerror}. "
            "Make space or set DIGITLAB_RUNS to another folder."
        ) from error


def source_for(run: Run) -> str:
    """Return the data set that a run's answers are on; for the built-in network, the one in use."""
    return mnist.source() if run.is_builtin else run.data


def may_have_seen(run: Run, digits: Digits) -> bool:
    """Return whether a run, or one that it was taught from, may have learned from the test images.

    It may if it learned from other data: the sample is a part of MNIST, but its test images are
    not MNIST's.
    """
    return any(source != digits.source for source in (run.data, *run.seen))


def splits(run: Run, digits: Digits) -> tuple[str, ...]:
    """Return the splits that a run may be asked about, the most telling first.

    The test set is read when a run is over for good: nobody can choose an epoch by it.
    """
    validation = ("validation",) if run.data == digits.source else ()
    if may_have_seen(run, digits):
        return (KNOWN, *validation)
    return SPLITS if run.state.is_final else validation


def why_no_test(run: Run) -> str:
    """Return why a run is not tested on data of which it `may_have_seen` the test images."""
    learned = " and of ".join(SOURCES.get(source, source) for source in (run.data, *run.seen))
    return (
        f"The network of {run.name} learned from images of {learned}, and so perhaps from these "
        "test images: what it reads of them is no test. Train a run on these data alone, or "
        "download the full MNIST."
    )


def of(run: Run, split: str, digits: Digits) -> Result:
    """Return a run's answers on a split; where they were not kept, its best epoch gives them.

    The split is one of SPLITS, or KNOWN: the test images, for a run that `may_have_seen` them; its
    answers to them are not kept. Raises RunError if the run has no model, may not be asked about
    the split (see `splits`), or `digits` are not what it was trained on.
    """
    images, labels, indices = _asked(run, split, digits)
    probabilities = _kept(run, split) if split in SPLITS else None
    if probabilities is None:
        probabilities = compute(_best(run), images)
        if split in SPLITS:
            _save_if_possible(run.folder, split, probabilities)
    if len(probabilities) != len(labels):
        raise RunError(f"The run {run.name} kept answers for other images. Train it again.")
    return Result(probabilities, images, labels, indices)


def on(run: Run, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Result:
    """Return a run's answers to digits of any other origin. Raises RunError, CheckpointError."""
    return Result(compute(_best(run), images), images, labels, np.arange(len(labels)))


def _asked(
    run: Run, split: str, digits: Digits
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Return a split's images, labels and indices, if the run may be asked about them."""
    if split != "validation" and may_have_seen(run, digits) != (split == KNOWN):
        raise RunError(
            f"The run {run.name} learned from these data alone: its test images are not known to "
            "it. Ask for test."
            if split == KNOWN
            else why_no_test(run)
        )
    if split != KNOWN and run.data_checksum not in ("", digits.checksum):
        raise RunError(
            f"The run {run.name} was trained on other data ({SOURCES.get(run.data)}) than "
            "are here. Choose another run, or put its data back."
        )
    if split == "test" and not run.state.is_final:
        can_go_on = "can be resumed" if run.state.is_over else "goes on"
        raise RunError(
            f"The run {run.name} is {run.state} and {can_go_on}: the test set is read once, when "
            "it is over for good. Look at validation until then."
        )
    if split != "validation":
        return digits.test_images, digits.test_labels, np.arange(len(digits.test_labels))
    config = run.config
    chosen = split_for(digits, config.validation_size, config.train_size, config.seed)
    indices = chosen.validation
    return digits.train_images[indices], digits.train_labels[indices], indices


def _kept(run: Run, split: str) -> NDArray[np.float32] | None:
    """Return the answers kept on a split; None where there are none that can be read."""
    try:
        kept: NDArray[np.float32] = np.load(files.path(run, f"{split}.npy"), allow_pickle=False)
    except (RunError, OSError, ValueError):  # not kept, or damaged
        return None
    return kept


def _best(run: Run) -> "Checkpoint":
    """Return the checkpoint of a run's best epoch."""
    from core.training import checkpoint

    return checkpoint.load(files.path(run, "best.pt"))


def together(members: Sequence[Result]) -> Result:
    """Return several runs' answers as one: the mean of their probabilities, image by image.

    Raises RunError if they answered for different images.
    """
    first, *others = members
    for other in others:
        if not np.array_equal(other.indices, first.indices) or not np.array_equal(
            other.labels, first.labels
        ):
            raise RunError(
                "These runs were asked about different images, so their answers cannot be "
                "averaged. Choose runs of the same data; for validation, of the same seed too."
            )
    stacked = np.stack([member.probabilities for member in members])
    return replace(first, probabilities=stacked.mean(axis=0))


def read_test(run: Run, best: "Checkpoint", digits: Digits) -> float:
    """Read the test set with a run's best epoch, keep the answers, return the accuracy."""
    probabilities = compute(best, digits.test_images)
    _save_if_possible(run.folder, "test", probabilities)
    return metrics.score(probabilities, digits.test_labels)[1]


def _save_if_possible(folder: Path, split: str, probabilities: NDArray[np.float32]) -> None:
    """Keep answers; without room for them, they are computed again when they are asked for."""
    with suppress(CheckpointError):
        save(folder, split, probabilities)


def compute(best: "Checkpoint", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the answers of a checkpoint's network, in the precision that its run asked for."""
    from core.config import config_from
    from core.training import checkpoint, device, inference

    config = config_from(best["config"])
    where = device.choose(config.device, config.precision)
    model = checkpoint.network(best).to(where.kind)
    return inference.probabilities(model, images, config, where.precision)

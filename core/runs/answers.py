"""A run's predictions on a split, computed only once, and which splits it may be evaluated on."""

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
from core.whole import write_whole

if TYPE_CHECKING:  # torch takes 2 s, and saved answers do not need it
    from core.training.checkpoint import Checkpoint


SPLITS = ("test", "validation")
KNOWN = "known"  # instead of "test" for a run that may have learned from the test images


@dataclass(frozen=True)
class Result:
    """A run's answers on a split.

    `probabilities` are `(N, 10)`, `images` `(N, 28, 28) uint8`, `labels` `(N,)`; `indices (N,)` are
    the images' positions in the data set's training or test images.
    """

    probabilities: NDArray[np.float32]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    indices: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each answer is right, `(N,)`."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)


def save(folder: Path, split: str, probabilities: NDArray[np.float32]) -> None:
    """Save a split's `(N, 10)` probabilities in a run's folder. Raises CheckpointError."""

    def save_to(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, probabilities, allow_pickle=False)

    try:
        write_whole(folder / f"{split}.npy", save_to)
    except OSError as error:
        raise CheckpointError(
            f"The answers on {split} could not be written to {folder}: {error.strerror}. "
            "Free some space, or set DIGITLAB_RUNS to another folder."
        ) from error


def source_for(run: Run) -> str:
    """Return the data to evaluate a run on: its own, or those in use if it is from elsewhere."""
    return mnist.source() if run.is_from_elsewhere else run.data


def may_have_seen(run: Run, digits: Digits) -> bool:
    """Return whether a run, or a run it was fine-tuned from, may have learned from the test images.

    It may have if it learned from another data set, since the sample is a part of MNIST but has
    different test images.
    """
    return any(source != digits.source for source in (run.data, *run.seen))


def splits(run: Run, digits: Digits) -> tuple[str, ...]:
    """Return the splits that a run may be evaluated on, the most informative first.

    The test set must not be used to select epochs or settings. So it is available only once a run
    cannot be resumed, and of a sweep's trials only for the confirmed winner.
    """
    chose = run.has_settings  # else it is unknown which images chose the best epoch
    validation = ("validation",) if chose and run.data == digits.source else ()
    if may_have_seen(run, digits):
        return (KNOWN, *validation)
    return ("test", *validation) if run.state.is_final and not _withheld(run) else validation


def _withheld(run: Run) -> bool:
    """Return whether a run is a trial of a sweep that did not win: the sweep tests its winner."""
    return bool(run.sweep) and run.test_accuracy is None


def why_no_test(run: Run) -> str:
    """Explain why a run that `may_have_seen` the test images is not tested."""
    learned = " and ".join(
        SOURCES.get(source, "data that are not known") for source in (run.data, *run.seen)
    )
    return (
        f"{run.name} was trained on {learned}, which may include these test images, so its "
        "accuracy on them is not a fair test. For a fair one, train a new run on the data in use."
    )


def of(run: Run, split: str, digits: Digits) -> Result:
    """Return a run's answers on a split: the saved ones, or else computed by its best network.

    The split is one of SPLITS, or KNOWN: the test images for a run that `may_have_seen` them, whose
    answers are not saved. Raises RunError if the run has no network, must not be evaluated on the
    split (see `splits`), or was not trained on `digits`.
    """
    images, labels, indices = _split_images(run, split, digits)
    probabilities = _saved(run, split) if split in SPLITS else None
    if probabilities is None:
        probabilities = compute(_best(run), images)
        if split in SPLITS:
            _save_if_possible(run.folder, split, probabilities)
    if len(probabilities) != len(labels):
        raise RunError(
            f"The saved answers of the run {run.name} are for other images. Train a new run."
        )
    return Result(probabilities, images, labels, indices)


def on_images(run: Run, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Result:
    """Return a run's answers to any other digits. Raises RunError, CheckpointError."""
    return Result(compute(_best(run), images), images, labels, np.arange(len(labels)))


def _split_images(
    run: Run, split: str, digits: Digits
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Return a split's images, labels and indices. Raises RunError if the run must not see them."""
    if split != "validation" and may_have_seen(run, digits) != (split == KNOWN):
        raise RunError(
            f"The run {run.name} has not learned from these test images, so none of them are known "
            "to it. Choose the split test."
            if split == KNOWN
            else why_no_test(run)
        )
    if split != KNOWN and run.data_checksum not in ("", digits.checksum):
        raise RunError(
            f"The run {run.name} was trained on other data ({SOURCES.get(run.data, run.data)}) "
            "than those in use. Choose another run, or restore its data."
        )
    if split == "test" and not run.state.is_final:
        raise RunError(
            f"The run {run.name} is {run.state}: a run is tested once, when it has finished. "
            "Choose the split validation until then."
        )
    if split == "test" and _withheld(run):
        raise RunError(
            f"The run {run.name} is a trial of the sweep {run.sweep}, which chooses by validation; "
            "only its confirmed winner is tested. Choose the split validation."
        )
    if split != "validation":
        return digits.test_images, digits.test_labels, np.arange(len(digits.test_labels))
    config = run.config
    chosen = split_for(digits, config.validation_size, config.train_size, config.seed)
    indices = chosen.validation
    return digits.train_images[indices], digits.train_labels[indices], indices


def _saved(run: Run, split: str) -> NDArray[np.float32] | None:
    """Return the saved answers on a split; None if they are missing or unreadable."""
    try:
        saved: NDArray[np.float32] = np.load(files.path(run, f"{split}.npy"), allow_pickle=False)
    except (RunError, OSError, ValueError):  # missing or damaged
        return None
    return saved


def _best(run: Run) -> "Checkpoint":
    """Return the checkpoint of a run's best epoch."""
    from core.training import checkpoint

    return checkpoint.load(files.path(run, files.BEST))


def together(members: Sequence[Result]) -> Result:
    """Return the answers of an ensemble: the mean of its members' probabilities for each image.

    Raises RunError if the members have answers for different images.
    """
    first, *others = members
    for other in others:
        if not np.array_equal(other.indices, first.indices) or not np.array_equal(
            other.labels, first.labels
        ):
            raise RunError(
                "These runs have answers for different images, which cannot be averaged. Choose "
                "runs trained on the same data; for validation, with the same seed too."
            )
    stacked = np.stack([member.probabilities for member in members])
    return replace(first, probabilities=stacked.mean(axis=0))


def read_test(run: Run, best: "Checkpoint", digits: Digits) -> float:
    """Test a run's best epoch: save its answers on the test set and return the accuracy."""
    probabilities = compute(best, digits.test_images)
    _save_if_possible(run.folder, "test", probabilities)
    return metrics.score(probabilities, digits.test_labels)[1]


def _save_if_possible(folder: Path, split: str, probabilities: NDArray[np.float32]) -> None:
    """Save answers; on a full disk, they are computed again when they are needed."""
    with suppress(CheckpointError):
        save(folder, split, probabilities)


def compute(best: "Checkpoint", images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a checkpoint's `(N, 10)` probabilities, computed in the precision of its run."""
    from core.config import config_from
    from core.training import checkpoint, device, inference

    config = config_from(best["config"])
    where = device.choose(config.device, config.precision)
    model = checkpoint.network(best).to(where.kind)
    return inference.probabilities(model, images, config, where.precision)

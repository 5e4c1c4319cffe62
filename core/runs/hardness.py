"""How hard each training image was for a run, and the choice of training images by hardness."""

import numpy as np
from numpy.typing import NDArray

from core.config import TrainConfig
from core.data.digits import Digits
from core.errors import DataError, RunError
from core.runs import catalogue, files
from core.runs.run import Run


def of(run: Run, digits: Digits) -> NDArray[np.float64]:
    """Return each training image's hardness, `(N,)`; NaN where the run did not learn from it.

    Raises RunError if the run did not record hardness or learned from other data; CheckpointError.
    """
    import torch  # 2 s

    from core.training import checkpoint
    from core.training.hardness import ranks

    if not run.config.hardness:
        raise RunError(
            f"The run {run.name} has not recorded which images are hard. Train one with "
            "hardness=true, and choose that."
        )
    if run.data_checksum != digits.checksum:
        raise RunError(f"The run {run.name} learned from other data. Choose another run.")
    last = checkpoint.load(files.path(run, files.LAST))
    counts = last.get("hardness")
    wanted = (3, len(digits.train_labels))
    if not isinstance(counts, torch.Tensor) or (counts.dtype, tuple(counts.shape)) != (
        torch.int16,
        wanted,
    ):
        raise RunError(
            f"The hardness recorded by the run {run.name} is missing or damaged. Choose another "
            "run."
        )
    return ranks(counts.numpy(), last["epoch"])


def wanted(config: TrainConfig, digits: Digits) -> NDArray[np.float64] | None:
    """Return the ranks by which a run's images are chosen, lowest first; None: at random.

    Raises DataError if the run that recorded hardness is gone or cannot be used; CheckpointError.
    """
    if config.chosen == "random":
        return None
    try:
        found = of(catalogue.get(config.chosen_by), digits)
    except RunError as error:  # as a DataError, it becomes the reason why this run failed
        raise DataError(f"The {config.chosen} images are not known. {error}") from error
    return -found if config.chosen == "hardest" else found

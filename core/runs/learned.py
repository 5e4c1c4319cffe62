"""Which images of a data set a run learned from."""

import numpy as np
from numpy.typing import NDArray

from core.data.digits import Digits
from core.data.splits import split_for
from core.runs import hardness, label_notes
from core.runs.run import Run


def images(run: Run, digits: Digits) -> NDArray[np.int64]:
    """Return the sorted indices of the training images that a run learned from.

    Raises DataError if another run chose them and is gone, or if the notes that left some out are
    not on this machine; CheckpointError.
    """
    config = run.config
    ranks = hardness.wanted(config, digits)
    split = split_for(digits, config.validation_size, config.train_size, config.seed, ranks)
    if config.notes:
        split = split.without(label_notes.left_out(config.notes, digits))
    return split.train

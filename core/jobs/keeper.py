"""Keeps a training's checkpoints, answers and TensorBoard events in the run's folder.

The disk may be full, or the folder gone, for a while or for good. A training is not ended by that:
what could not be written is told, and tried again with the next epoch.
"""

from contextlib import suppress

from torch.utils.tensorboard import SummaryWriter

from core.errors import CheckpointError
from core.runs import answers
from core.runs.files import BEST, LAST
from core.runs.history import EPOCH_METRICS, STEP_METRICS
from core.runs.run import Run
from core.training import checkpoint
from core.training.checkpoint import Checkpoint
from core.training.events import Epoch, Step


class Keeper:
    """Writes what a training yields to a run's folder.

    `trouble` says what of the last epoch could not be written; it is empty if all was.
    """

    def __init__(self, run: Run) -> None:
        self._folder = run.folder
        self._best: Checkpoint | None = None
        self._unkept: Epoch | None = None  # a best epoch for which there was no room so far
        self._board: SummaryWriter | None = None
        self.trouble = ""
        # What an earlier end of a resumed run read of the test set is not this run's.
        with suppress(OSError):
            (self._folder / "test.npy").unlink(missing_ok=True)
        self._open_board()

    def step(self, event: Step) -> None:
        """Keep the metrics of some steps."""
        self._draw("step", {name: getattr(event, name) for name in STEP_METRICS}, event.step)

    def epoch(self, event: Epoch) -> None:
        """Keep an epoch's checkpoint, answers and metrics."""
        self.trouble = ""
        if self._board is None:
            self._open_board()
        self._draw("epoch", {name: getattr(event, name) for name in EPOCH_METRICS}, event.epoch)
        try:
            checkpoint.save(event.checkpoint, self._folder / LAST)
        except CheckpointError as error:
            self.trouble = str(error)
        if event.is_best:
            self._best, self._unkept = event.checkpoint, event
        self._keep_best()

    def close(self) -> Checkpoint | None:
        """Return the best epoch's checkpoint, once more tried to keep; None without any epoch.

        Raises CheckpointError if it could not be kept, or is damaged.
        """
        self._close_board()
        self._keep_best()
        if self._unkept is not None:
            raise CheckpointError(self.trouble)
        if self._best is None and (self._folder / BEST).exists():
            self._best = checkpoint.load(self._folder / BEST)
        return self._best

    def _keep_best(self) -> None:
        """Keep the best epoch so far, if it has not been kept yet."""
        if self._unkept is None:
            return
        try:
            # Answers of an earlier best epoch must not stand beside this one's network.
            (self._folder / "validation.npy").unlink(missing_ok=True)
            checkpoint.save(self._unkept.checkpoint, self._folder / BEST)
            probabilities, self._unkept = self._unkept.probabilities, None
            answers.save(self._folder, "validation", probabilities)
        except (CheckpointError, OSError) as error:
            self.trouble = str(error)

    def _open_board(self) -> None:
        # The writer would make the folder anew, also that of a run that was deleted.
        if self._folder.exists():
            try:
                self._board = SummaryWriter(str(self._folder / "tensorboard"))
            except Exception as error:  # see _draw
                self._give_board_up(error)

    def _draw(self, kind: str, values: dict[str, float], at: int) -> None:
        """Hand metrics to TensorBoard; a writer that fails is opened anew with the next epoch."""
        if self._board is None:
            return
        try:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, at)
        except Exception as error:  # its thread hands on whatever a file system can raise
            self._give_board_up(error)

    def _give_board_up(self, error: Exception) -> None:
        self.trouble = f"TensorBoard's events could not be written: {error}."
        self._close_board()

    def _close_board(self) -> None:
        board, self._board = self._board, None
        if board:
            with suppress(Exception):  # what it still held could not be written, either
                board.close()

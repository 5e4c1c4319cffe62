"""Writes a training's checkpoints, answers and TensorBoard events to the run's folder.

A full disk or a missing folder does not end a training: the failure is reported as a warning, and
the write is retried after the next epoch.
"""

import time
from contextlib import suppress

from torch.utils.tensorboard import SummaryWriter

from core.errors import CheckpointError
from core.runs import answers
from core.runs.files import BEST, FORMING, LAST, link
from core.runs.history import EPOCH_METRICS, STEP_METRICS
from core.runs.run import Run
from core.training import checkpoint, forming
from core.training.checkpoint import Checkpoint
from core.training.events import Epoch, Step
from core.training.forming import Moment
from core.whole import write_whole

_MOMENTS_SHARE = 0.005  # the share of the time that writing moments may take


class Keeper:
    """Writes a training's events to the run's folder.

    `problem` says why a part of the last epoch could not be written, `moments_problem` why the
    moments of forming could not; both are empty on success.
    """

    def __init__(self, run: Run) -> None:
        self._folder = run.folder
        self._best: Checkpoint | None = None
        self._unsaved: Epoch | None = None  # the best epoch, while it could not be written
        self._saved = 0  # the epoch of the last checkpoint
        self._board: SummaryWriter | None = None
        self._moments: list[Moment] = []
        self._next_moments = 0.0  # when they may be written again, by the monotonic clock
        self._keeps_moments = not run.sweep  # a sweep has too many runs
        self.problem = self.moments_problem = ""
        # Test answers from before a run was resumed are outdated.
        with suppress(OSError):
            (self._folder / "test.npy").unlink(missing_ok=True)
        self._open_board()

    def step(self, event: Step) -> None:
        """Write the metrics of the latest steps to TensorBoard."""
        self._log_scalars("step", {name: getattr(event, name) for name in STEP_METRICS}, event.step)

    def moment(self, moment: Moment) -> None:
        """Keep the weights of a moment; they are soon written, with those of earlier moments."""
        if not self._keeps_moments:
            return
        if not self._moments and moment.step:  # the run was resumed
            with suppress(CheckpointError):
                before = forming.load(self._folder / FORMING)
                self._moments = [one for one in before if one.step < moment.step]
        self._moments.append(moment)
        if time.monotonic() >= self._next_moments:
            self._save_moments()

    def epoch(self, event: Epoch) -> None:
        """Write an epoch's checkpoint, answers and metrics."""
        self.problem = ""
        if self._board is None:
            self._open_board()
        self._log_scalars(
            "epoch", {name: getattr(event, name) for name in EPOCH_METRICS}, event.epoch
        )
        try:
            checkpoint.save(event.checkpoint, self._folder / LAST)
            self._saved = event.epoch
        except CheckpointError as error:
            self.problem = str(error)
        if event.is_best:
            self._best, self._unsaved = event.checkpoint, event
        self._save_best()

    def close(self) -> Checkpoint | None:
        """Return the best epoch's checkpoint; None if no epoch was completed.

        Tries once more to write it if that has failed so far. Raises CheckpointError if it cannot
        be written, or is damaged.
        """
        self._close_board()
        self._save_moments()
        self._save_best()
        if self._unsaved is not None:
            raise CheckpointError(self.problem)
        if self._best is None and (self._folder / BEST).exists():
            self._best = checkpoint.load(self._folder / BEST)
        return self._best

    def _save_moments(self) -> None:
        """Write all moments; if that fails, it is tried again at the next moment."""
        if not self._moments:
            return
        begin = time.monotonic()
        try:
            forming.save(self._moments, self._folder / FORMING)
            self.moments_problem = ""
        except CheckpointError as error:
            self.moments_problem = f"How the network formed could not be kept. {error}"
        now = time.monotonic()
        self._next_moments = now + (now - begin) / _MOMENTS_SHARE

    def _save_best(self) -> None:
        """Write the best epoch so far, unless it has been written already."""
        if self._unsaved is None:
            return
        try:
            # The answers of an earlier best epoch do not belong to this network.
            (self._folder / "validation.npy").unlink(missing_ok=True)
            self._write_best(self._unsaved)
            probabilities, self._unsaved = self._unsaved.probabilities, None
            answers.save(self._folder, "validation", probabilities)
        except (CheckpointError, OSError) as error:
            self.problem = str(error)

    def _write_best(self, event: Epoch) -> None:
        """Write the best epoch, as a hard link to the last epoch's file if they are the same."""
        best = self._folder / BEST
        try:
            if self._saved == event.epoch:
                write_whole(best, lambda partial: link(self._folder / LAST, partial))
                return
        except OSError:  # if the cause is lasting, the next line reports it
            pass
        checkpoint.save(event.checkpoint, best)

    def _open_board(self) -> None:
        # The writer would recreate the folder of a deleted run.
        if self._folder.exists():
            try:
                self._board = SummaryWriter(str(self._folder / "tensorboard"))
            except Exception as error:  # see _log_scalars
                self._board_failed(error)

    def _log_scalars(self, kind: str, values: dict[str, float], at: int) -> None:
        """Write metrics to TensorBoard; after a failure, the next epoch reopens the writer."""
        if self._board is None:
            return
        try:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, at)
        except Exception as error:  # the writer's thread passes on any error of the file system
            self._board_failed(error)

    def _board_failed(self, error: Exception) -> None:
        self.problem = (
            f"TensorBoard events could not be written: {error}. Free some space on the disk."
        )
        self._close_board()

    def _close_board(self) -> None:
        board, self._board = self._board, None
        if board:
            with suppress(Exception):  # its buffered events cannot be written either
                board.close()

"""A run's metrics for each step and epoch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.runs import builtin
from core.runs.run import Run
from core.runs.store import connect

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd


STEP_METRICS = ("loss", "accuracy", "learning_rate", "images_per_second")
EPOCH_METRICS = (
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
    "total_seconds",
)
_RECENT = 5  # reports of steps whose median is the speed


@dataclass(frozen=True)
class History:
    """A run's metrics so far.

    `steps`: step, epoch (a fraction), loss, accuracy, learning_rate, images_per_second.
    `epochs`: epoch, train_loss, train_accuracy, validation_loss, validation_accuracy,
    learning_rate, seconds, total_seconds.
    """

    steps: "pd.DataFrame"
    epochs: "pd.DataFrame"

    @property
    def speed(self) -> float | None:
        """Images a second, the median of the last reports; None before the first."""
        recent = self.steps["images_per_second"].dropna().tail(_RECENT)
        return float(recent.median()) if len(recent) else None


def read_history(run: Run) -> History:
    """Return a run's metrics so far; the built-in network has epochs only. Raises StoreError."""
    import pandas as pd

    if run.is_builtin:
        return History(pd.DataFrame(columns=["step", "epoch", *STEP_METRICS]), builtin.epochs())

    def table(keys: tuple[str, ...], index: str, prefix: str) -> pd.DataFrame:
        columns = {
            key: {point.step: point.value for point in client.get_metric_history(run.id, key)}
            for key in (f"{prefix}{key}" for key in keys)
        }
        frame = pd.DataFrame(columns, columns=list(columns)).sort_index().rename_axis(index)
        return frame.rename(columns=lambda name: name.removeprefix(prefix)).reset_index()

    with connect() as (client, _):
        steps = table(STEP_METRICS, "step", "step/")
        epochs = table(EPOCH_METRICS, "epoch", "epoch/")
    steps.insert(1, "epoch", steps["step"] * run.config.epochs / max(run.steps, 1))
    return History(steps, epochs)

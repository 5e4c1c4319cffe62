"""A run's metrics for each step and epoch."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.runs import builtin
from core.runs.run import Run
from core.runs.store import connect, is_shared

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
_LONGEST = 6_000  # characters of the tag; MLflow stores 8,000
_LAST = 2_500  # the same at a run's end, since every listing then includes it
_MOST = 32  # runs whose histories are kept
_lock = threading.Lock()  # guards what follows
_gates: dict[str, threading.Lock] = {}  # one per run, so that a slow read blocks no other run
# A run's id → its history, and its step, epoch and end at that time; least recent first.
_followed: "dict[str, tuple[History, tuple[int, int, bool]]]" = {}


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

    def of_whole_epochs(self) -> "History":
        """Return the same without the steps after the last epoch that was completed."""
        last = self.epochs["epoch"].max() if len(self.epochs) else 0
        return History(self.steps[self.steps["epoch"] <= last], self.epochs)


def read_history(run: Run) -> History:
    """Return a run's metrics so far; the built-in network has epochs only. Raises StoreError.

    A run is read once for each step that it has reached, however many pages show it; do not change
    the tables, which they share. A run in progress is read completely only once; later reads add
    what its tag `recent` has (see `recent_tag`).
    """
    import pandas as pd

    if run.is_builtin:
        return History(pd.DataFrame(columns=["step", "epoch", *STEP_METRICS]), builtin.epochs())
    if is_shared() and not (run.state.is_over or run.recent or run.step or run.epochs):
        return _nothing()
    mark = run.step, run.epochs, run.state.is_over
    with _lock:
        gate = _gates.setdefault(run.id, threading.Lock())
    with gate:  # the page and the door may ask for it at the same time
        with _lock:
            known, before = _followed.get(run.id, (None, None))
        if known is None or before != mark:
            known = (_continued(known, run) if run.recent else None) or _read(run)
        with _lock:
            _followed.pop(run.id, None)
            _followed[run.id] = known, mark
            for old in list(_followed)[:-_MOST]:
                del _followed[old]
                _gates.pop(old, None)
    return known


def _nothing() -> History:
    import pandas as pd

    steps = pd.DataFrame(columns=["step", "epoch", *STEP_METRICS], dtype=float)
    return History(steps, pd.DataFrame(columns=["epoch", *EPOCH_METRICS], dtype=float))


def recent_tag(
    steps: Sequence[Sequence[float]], epochs: Sequence[Sequence[float]], ended: bool = False
) -> str:
    """Return the tag with a run's last points, as many as fit, rounded to six digits.

    A row is a step and its STEP_METRICS, or an epoch and its EPOCH_METRICS. For a run that has
    `ended`, the tag is shorter, and only continues what watchers have already.
    """
    rows = {"steps": _short(steps), "epochs": _short(epochs)}
    most = _LAST if ended else _LONGEST
    while len(text := json.dumps(rows, separators=(",", ":"))) > most:
        rows = {kind: kept[len(kept) // 8 + 1 :] for kind, kept in rows.items()}
    return text


def _short(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[int(row[0]), *(float(f"{value:.6g}") for value in row[1:])] for row in rows]


def _continued(known: History | None, run: Run) -> History | None:
    """Return a known history continued by a run's recent points; None if points are missing."""
    import pandas as pd

    try:
        recent = json.loads(run.recent)
        steps = pd.DataFrame(recent["steps"], columns=["step", *STEP_METRICS])
        epochs = pd.DataFrame(recent["epochs"], columns=["epoch", *EPOCH_METRICS])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    steps.insert(1, "epoch", steps["step"] * run.config.epochs / max(run.steps, 1))
    if known is None or known.steps.empty:
        begins = not steps.empty and steps["step"].iloc[0] == 1
        return History(steps, epochs) if begins else None
    if known.steps["step"].iloc[-1] not in set(steps["step"]):
        return None
    last = 0 if known.epochs.empty else known.epochs["epoch"].iloc[-1]
    if run.epochs > last and not (len(epochs) and epochs["epoch"].iloc[0] <= last + 1):
        return None
    newer = epochs[epochs["epoch"] > last]
    return History(
        pd.concat([known.steps, steps[steps["step"] > known.steps["step"].iloc[-1]]]).reset_index(
            drop=True
        ),
        pd.concat([known.epochs, newer]).reset_index(drop=True) if len(newer) else known.epochs,
    )


def _read(run: Run) -> History:
    import pandas as pd

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

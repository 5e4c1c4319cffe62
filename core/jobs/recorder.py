"""The thread that writes a training's events to the run store, and learns of requests to stop.

The training loop never waits for the store: it hands its events to this thread. The thread must not
die before its process does: the run would look dead, and could not be stopped.
"""

import logging
import threading
import time
from typing import TYPE_CHECKING

from core.errors import RunError, StoreError, UserError
from core.runs import catalogue, files, mlflow_view
from core.runs.history import EPOCH_METRICS, STEP_METRICS, recent_tag
from core.runs.run import Run, State
from core.runs.store import is_shared

if TYPE_CHECKING:  # torch takes 2 s and 500 MB: a queued run does not load it
    from core.evaluation.calibration import Calibration
    from core.training.events import Epoch, Started, Step

_log = logging.getLogger("digitlab")
_FLUSH = 0.5  # seconds between two writes to the store, and two checks for a stop on this machine
_TRIAL_FLUSH = 2.0  # seconds between two writes of a sweep's trial, which may last no longer
_TEAM_FLUSH = 6.0  # seconds between two writes to a team's store, which many machines share
_LOOK = 12.0  # seconds between two checks in the store for a stop from another machine
_TEAM_POINTS = 0.25  # seconds between two points of steps in a team's store, at least
_AWAITED = 2  # points by step that are written at once: a line needs two
_RECENT = 15.0  # seconds of points that the tag `recent` keeps
_PERSISTENCE = 60.0  # seconds for which writing to a failing store is retried at the end


class Recorder(threading.Thread):
    """Writes a run's metrics and tags to the store; sets `stopping` when the run should stop.

    When the store fails, writing is retried without loss for as long as the run lasts, and then
    for _PERSISTENCE seconds. Deleting the run sets `gone` and `stopping`.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(name="recorder", daemon=True)
        self.stopping, self.gone = threading.Event(), threading.Event()
        self._run_id, self._asked = run.id, run.folder / files.STOP
        self._lock = threading.Lock()
        self._points: list[tuple[str, float, int]] = []
        self._tags: dict[str, str] = {}
        self._recent: dict[str, list[tuple[float, list[float]]]] = {"steps": [], "epochs": []}
        self._every = _TEAM_FLUSH if is_shared() else _TRIAL_FLUSH if run.sweep else _FLUSH
        self._next_point = 0.0  # by the monotonic clock
        self._awaited = _AWAITED
        self._wake, self._closed = threading.Event(), threading.Event()
        if not is_shared():
            self._wake.set()  # the first lease is written at once
        self._looked = 0.0  # when the store was asked for a stop, by the monotonic clock
        self._ended = False

    def metrics(self, values: dict[str, float], step: int) -> None:
        """Record metrics at a step or epoch."""
        with self._lock:
            self._points += [(name, float(value), step) for name, value in values.items()]

    def tags(self, values: dict[str, str]) -> None:
        """Set tags; a later value replaces an earlier one."""
        with self._lock:
            self._tags |= values

    def started(self, event: "Started") -> None:
        """Record the number of steps, the device and the number of parameters."""
        device = event.device
        self.tags(
            {
                "steps": str(event.steps),
                "device": device.kind,
                "device_name": device.name,
                "precision": device.precision,
            }
        )
        self.metrics({"parameters": event.parameters}, 0)

    def step(self, event: "Step") -> None:
        """Record the metrics of the latest steps; a team's store gets fewer of them."""
        self.metrics({"progress": event.step}, event.step)
        if not is_shared() or time.monotonic() >= self._next_point:
            self._next_point = time.monotonic() + _TEAM_POINTS
            values = {f"step/{name}": getattr(event, name) for name in STEP_METRICS}
            self.metrics(values, event.step)
            self._remember("steps", [event.step, *values.values()])
            if self._awaited:
                self._awaited -= 1
                self._wake.set()

    def epoch(self, event: "Epoch") -> None:
        """Record the metrics of an epoch, and the best epoch so far."""
        values = {f"epoch/{name}": getattr(event, name) for name in EPOCH_METRICS}
        self._remember("epochs", [event.epoch, *values.values()])
        values |= {
            "epochs": event.epoch,
            "best_epoch": event.checkpoint["best_epoch"],
            "best_validation_accuracy": event.checkpoint["best_accuracy"],
            "train_seconds": event.total_seconds,
        }
        self.metrics(values, event.epoch)

    def calibration(self, fitted: "Calibration", epoch: int) -> None:
        """Record the calibration of the best epoch's network."""
        self.metrics(fitted.metrics(), epoch)

    def warn(self, text: str) -> None:
        """Set the warning that is shown with the run; an empty text changes nothing."""
        if text:
            self.tags({"warning": text})

    def end(self, state: State, reason: str) -> None:
        """Record the final state at once; only the first call counts."""
        if not self._ended:
            self._ended = True
            self.tags({"state": state, "reason": reason})
        self._wake.set()

    def close(self) -> None:
        """Wait until everything is written.

        Raises StoreError if the store fails for _PERSISTENCE seconds, RunError if the run was
        deleted.
        """
        self._closed.set()
        self._wake.set()
        self.join(_PERSISTENCE)
        if self.gone.is_set():
            raise RunError("The run was deleted from the run store, so its training was stopped.")
        if self.is_alive():
            raise StoreError(
                f"The end of the run {self._run_id} could not be written to the run store. Its "
                "files are in its folder: free some space on the disk and resume it."
            )

    def run(self) -> None:
        """Renew the lease, write, and check for a stop, until all is written after `close`."""
        renewed, failing = 0.0, False
        while not (self._closed.is_set() and not self._points and not self._tags):
            self._wait()
            try:
                since, begun = time.monotonic() - renewed, time.monotonic()
                if since > min(catalogue.RENEW, self._every):
                    self._flush(catalogue.lease())
                    if renewed and since > catalogue.lease_seconds():
                        mlflow_view.revive(self._run_id)
                    renewed = begun
                else:
                    self._flush({})
                if begun - self._looked > _LOOK - self._every / 2:  # not at every write
                    self._looked = begun
                    if catalogue.stop_requested(self._run_id):
                        self.stopping.set()
                failing = False
            except Exception as error:  # from MLflow, SQLAlchemy, the network or the disk; or a bug
                if self._is_gone(error):
                    self.gone.set()
                    self.stopping.set()
                    return
                if not failing:
                    _log.warning("%s", error, exc_info=not isinstance(error, UserError))
                failing = True
                time.sleep(_FLUSH)

    def _wait(self) -> None:
        """Wait until it is time to write, or somebody on this machine has asked for a stop."""
        end = time.monotonic() + self._every
        woken = False
        while not woken and time.monotonic() < end:
            woken = self._wake.wait(_FLUSH)
            if self._asked.exists():
                self.stopping.set()
        self._wake.clear()

    def _is_gone(self, error: Exception) -> bool:
        """Return whether the store failed because the run was deleted."""
        if isinstance(error, StoreError):
            return False
        try:
            catalogue.get(self._run_id)
        except RunError:
            return True
        except Exception:  # unknown: the next round checks again
            return False
        return False

    def _remember(self, kind: str, row: list[float]) -> None:
        """Keep a row for the tag `recent`, so that watching a run needs no whole history."""
        with self._lock:
            since = time.monotonic() - _RECENT
            kept = [one for one in self._recent[kind] if one[0] > since]
            self._recent[kind] = [*kept, (time.monotonic(), row)]

    def _flush(self, lease: dict[str, str]) -> None:
        """Write what is pending: the start before any points, the end with the last points."""
        with self._lock:
            points, tags = self._points, self._tags
            self._points, self._tags = [], {}
            rows = [[row for _, row in self._recent[kind]] for kind in ("steps", "epochs")]
        state = {key: tags.pop(key) for key in ("state", "reason") if key in tags}
        ended = self._ended  # then the last points are written only once
        with_points = rows[0] and (state or not ended)
        recent = {}
        if with_points:  # on one machine, reading the whole history once more, at the end, is cheap
            unneeded = ended and not is_shared()
            recent = {"recent": "" if unneeded else recent_tag(rows[0], rows[1], ended)}
        try:
            written = recent | tags | lease
            if state.get("state") == State.RUNNING:
                if catalogue.move(self._run_id, State.RUNNING, state["reason"], tags=written):
                    self.stopping.set()
                self._looked = time.monotonic()
                state, written = {}, {}
            if state:
                catalogue.move(
                    self._run_id, State(state["state"]), state["reason"], points, written
                )
            else:
                catalogue.log(self._run_id, points, written)
            points, tags, state = [], {}, {}
        finally:  # what could not be written comes first next time
            with self._lock:
                self._points, self._tags = points + self._points, tags | state | self._tags

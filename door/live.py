"""`GET api/runs/{id}/live?after=STEP`: a run's progress, and its points after a step.

The store is read at most once a second, however many watch, and less often if it is slow. It is
read more often while a run that has begun has no line to show yet. An answer says when to ask
again: soon if the run ends soon, later if many watch, because the processor that answers is often
the one that trains.
"""

import asyncio
import math
import re
import time
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import RunError
from core.jobs import limits
from core.runs import catalogue
from core.runs.history import EPOCH_METRICS, STEP_METRICS, read_history
from core.runs.run import BUILTIN, Run, State
from door.bounds import Rate, RefusedError, Work
from door.caller import caller

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd

_RUNS = 32  # cached runs; the least recently requested ones are dropped
_EVERY = 1.0  # the least seconds between two reads of a run
_AT_FIRST = 0.25  # the same while the run has begun but has fewer than two points
_SHARE = 0.05  # the greatest share of the time for which reading one run may keep the store busy
_LEFT_SHARE = 0.1  # a watcher's pause, as a share of the time that the run still takes,
_LATEST = 3.0  # up to these seconds
_TOGETHER = 4.0  # requests a second that all watchers are told to send,
_LONGEST = 15.0  # with pauses up to these seconds
_LAST_STEP = 2**31 - 1
_STEP_KEYS = ("step", "epoch", "loss", "accuracy", "learning_rate")
_EPOCH_KEYS = ("epoch", *EPOCH_METRICS)


@dataclass(frozen=True)
class _Course:
    """A run as it was last read, its points as values for JSON, and when to read it again."""

    run: Run
    speed: float | None  # images a second
    points: list[dict[str, float | None]]
    epochs: list[dict[str, float | None]]
    again: float  # by the monotonic clock

    def after(self, step: int) -> dict[str, Any]:
        """Return the answer to a watcher that has the points up to `step`."""
        run = self.run
        first = bisect_right(self.points, step, key=lambda point: int(point["step"] or 0))
        return {
            "run": run.id,
            "state": str(run.state),
            "reason": run.reason,
            "progress": run.progress,
            "step": run.step,
            "steps": run.steps,
            "epoch": run.current_epoch,
            "epochs": run.config.epochs,
            "images_per_second": self.speed,
            "seconds_left": run.seconds_left(self.speed),
            "points": self.points[first:],
            "epoch_points": self.epochs,
        }


class Watching:
    """Answers watchers with the progress of their runs."""

    def __init__(self) -> None:
        self._rate = Rate(each=60, together=300)
        self._turn = 0.0  # by the monotonic clock, when the next watcher could ask
        self._work = Work(threads=4, places=_RUNS, seconds=30)  # one slow read delays no other
        # The last read of each run, in progress or done; the least recently requested first.
        self._looks: dict[str, tuple[float, asyncio.Task[_Course]]] = {}

    async def live(self, request: Request) -> Response:
        """Answer with a run's state and new points. Raises UserError."""
        self._rate.admit(request)
        after = request.query_params.get("after", "0")
        if not re.fullmatch("[0-9]{1,10}", after) or int(after) > _LAST_STEP:
            raise RefusedError(
                400, f"after must be a step, a whole number from 0, not {after[:20]!r}."
            )
        run_id = request.path_params["run_id"]
        if run_id != BUILTIN and not re.fullmatch("[0-9a-f]{32}", run_id):
            raise RunError(f"There is no run {run_id[:40]!r}. Give a run's whole id.")
        course = await self._course(run_id)
        if not limits.seen(caller(request), [course.run]):
            raise RunError(f"The run {run_id} is another visitor's, and has not finished.")
        return JSONResponse(course.after(int(after)) | {"again": self._again(course)})

    def _again(self, course: _Course) -> float:
        """Return the seconds after which a watcher should ask again."""
        now = time.monotonic()
        self._turn = min(max(self._turn, now) + 1 / _TOGETHER, now + _LONGEST)
        left = course.run.seconds_left(course.speed) or 0.0
        alone = min(max(_LEFT_SHARE * left, _every(course.run)), _LATEST)
        return round(max(alone, self._turn - now), 3)

    async def _course(self, run_id: str) -> _Course:
        begun, look = self._looks.pop(run_id, (0.0, None))
        if look is None or (look.done() and _is_old(look, begun)):
            begun, look = time.monotonic(), asyncio.create_task(self._look(run_id, look))
        self._looks[run_id] = begun, look
        if len(self._looks) > _RUNS:
            del self._looks[next(iter(self._looks))]
        return await asyncio.shield(look)  # others wait for it too

    async def _look(self, run_id: str, last: "asyncio.Task[_Course] | None") -> _Course:
        known = None if last is None or last.exception() else last.result()
        with self._work.place():
            return await self._work.do(_read, run_id, known)


def _is_old(look: "asyncio.Task[_Course]", begun: float) -> bool:
    return time.monotonic() >= (begun + _EVERY if look.exception() else look.result().again)


def _read(run_id: str, known: _Course | None) -> _Course:
    """Read a run, and its points only if there are new ones. Raises UserError."""
    begun = time.monotonic()
    run = catalogue.watched(run_id)
    if known and _mark(run) == _mark(known.run):
        speed, points, epochs = known.speed, known.points, known.epochs
    else:
        history = read_history(run)
        speed = history.speed
        # The store may have only some metrics of a step that is being written.
        points = _as_json(history.steps.dropna(subset=list(STEP_METRICS)), _STEP_KEYS)
        epochs = _as_json(history.epochs, _EPOCH_KEYS)
    took = time.monotonic() - begun
    return _Course(run, speed, points, epochs, begun + max(_every(run), took / _SHARE))


def _every(run: Run) -> float:
    return _AT_FIRST if run.state is State.RUNNING and run.step < 2 else _EVERY


def _mark(run: Run) -> tuple[int, int, State]:
    """Return values that differ when a run has new points."""
    return run.step, run.epochs, run.state


def _as_json(table: "pd.DataFrame", keys: tuple[str, ...]) -> list[dict[str, float | None]]:
    """Return a table's rows; numbers that are not finite become None, since JSON has none."""
    columns = [
        [float(value) if math.isfinite(value) else None for value in table[key]] for key in keys
    ]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]

"""The time that a team's machines share: their server's, because their own clocks may differ."""

import os
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from core.errors import StoreError
from core.runs.store import TIMEOUT, no_answer

_VALID = 600.0  # seconds until a server's clock is read again
_RETRY = 60.0  # the same, if it did not answer
_JUMP = 1.0  # seconds; if this machine's two clocks diverge by more, it slept or its clock was set


@dataclass(frozen=True)
class _Reading:
    """A server's time, and this machine's two clocks when it was read."""

    time: float  # seconds since 1970
    monotonic: float
    wall: float
    valid: float  # seconds

    def now(self) -> float:
        return self.time + time.monotonic() - self.monotonic

    def is_valid(self) -> bool:
        passed, by_the_wall = time.monotonic() - self.monotonic, time.time() - self.wall
        return passed < self.valid and abs(passed - by_the_wall) < _JUMP


_readings: dict[str, _Reading] = {}  # by the server's address


def now() -> float:
    """Return the time in seconds since 1970, from the team's server or else from this machine.

    Raises StoreError if the server has never answered.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not uri.startswith("http"):
        return time.time()
    known = _readings.get(uri)
    if known is None or not known.is_valid():
        known = _readings[uri] = _read(uri, known)
    return known.now()


def _read(uri: str, known: _Reading | None) -> _Reading:
    """Read the time from the header of a server's answer; without one, continue the known time."""
    import requests

    try:
        answer = requests.head(uri, timeout=float(os.environ[TIMEOUT]))
        found, valid = parsedate_to_datetime(answer.headers["Date"]).timestamp(), _VALID
    except requests.RequestException as error:
        if known is None:
            raise StoreError(no_answer(uri)) from error
        found, valid = known.now(), _RETRY
    except (KeyError, ValueError):  # a proxy left the header out
        found, valid = time.time(), _VALID
    return _Reading(found, time.monotonic(), time.time(), valid)

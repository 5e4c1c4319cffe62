"""Who is there: everybody who was seen since the server started, and when."""

import threading
import time
from dataclasses import dataclass, field

import streamlit as st

from core.runs.person import Person

AWAY = 90.0  # seconds without a sign of a browser; those in the background give one a minute
_MOST = 500  # people; those seen longest ago are dropped


@dataclass
class Attendance:
    """The people seen, by tag, each with their name and the time of the last sign of them."""

    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, person: Person) -> None:
        """Note that a person is there; people without a name are not noted."""
        if not person.tag or not person.name:
            return
        with self._lock:
            self._seen.pop(person.tag, None)  # the order is that of the last sign
            self._seen[person.tag] = person.name, time.time()
            while len(self._seen) > _MOST:
                del self._seen[next(iter(self._seen))]

    def people(self) -> list[tuple[str, str, float]]:
        """Return tag, name and the seconds since the last sign of everybody, by name."""
        with self._lock:
            seen, now = list(self._seen.items()), time.time()
        found = [(tag, name, now - at) for tag, (name, at) in seen]
        return sorted(found, key=lambda one: (one[1].casefold(), one[0]))


@st.cache_resource
def attendance() -> Attendance:
    """Return the attendance that all sessions share."""
    return Attendance()

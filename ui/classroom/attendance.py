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

    def people(self) -> list[tuple[tuple[str, ...], str, float]]:
        """Return tags, name and the seconds since the last sign of everybody, by name.

        Whoever comes back in a new browser, and so with a new tag, is taken for the one of that
        name who has gone; the first tag is the latest. Two who are there at once are two.
        """
        with self._lock:
            seen, now = list(self._seen.items()), time.time()
        found: list[tuple[tuple[str, ...], str, float]] = []
        latest: dict[str, int] = {}  # whose place in `found` the absent of that name get
        for tag, (name, at) in reversed(seen):
            place = latest.setdefault(name.casefold(), len(found))
            if place < len(found) and now - at > AWAY:
                tags, called, seconds = found[place]
                found[place] = (*tags, tag), called, seconds
            else:
                found.append(((tag,), name, now - at))
        return sorted(found, key=lambda one: (one[1].casefold(), one[0]))


@st.cache_resource
def attendance() -> Attendance:
    """Return the attendance that all sessions share."""
    return Attendance()

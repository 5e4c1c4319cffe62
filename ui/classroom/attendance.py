"""Attendance: everybody who was seen since the server started, and when."""

import threading
import time
from dataclasses import dataclass, field

import streamlit as st

from core.runs.person import Person

AWAY = 90.0  # seconds after which a silent browser is away; background tabs report once a minute
_MOST = 500  # people; those seen longest ago are dropped


@dataclass
class Attendance:
    """The people seen, by tag, each with their name and the time when they were last seen."""

    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, person: Person) -> None:
        """Note that a person is there; people without a name are not noted."""
        if not person.tag or not person.name:
            return
        with self._lock:
            self._seen.pop(person.tag, None)  # those seen last are at the end
            self._seen[person.tag] = person.name, time.time()
            while len(self._seen) > _MOST:
                del self._seen[next(iter(self._seen))]

    def people(self) -> list[tuple[tuple[str, ...], str, float]]:
        """Return everybody's tags, name, and seconds since they were last seen, sorted by name.

        A person who comes back in a new browser gets a new tag. They are assumed to be the absent
        person of the same name; the latest tag comes first. Two people of one name who are there
        at the same time stay separate.
        """
        with self._lock:
            seen, now = list(self._seen.items()), time.time()
        found: list[tuple[tuple[str, ...], str, float]] = []
        latest: dict[str, int] = {}  # name → the index in `found` to which absent people are added
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
    """Return the attendance, shared by all sessions."""
    return Attendance()

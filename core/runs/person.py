"""The person who acts on runs: a visitor of the server, or the owner of the machine."""

import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

COOKIE = "digitlab"  # in which a browser keeps its secret and name
_KNOWN = re.compile(r"([\w-]{43})\.([\w.~%-]{1,900})", re.ASCII)  # secret and quoted name

Pictures = dict[str, bytes]  # PNG files by name


@dataclass(frozen=True)
class Person:
    """A person who starts and changes runs.

    `name` is the author of their runs, or empty for the machine's own user; `tag` marks their runs
    in the store; `owns_all` is true for the owner of the machine and for an admin. `shelf` has the
    digits of a visitor whose digits are never written to the disk.
    """

    name: str
    tag: str
    owns_all: bool = False
    shelf: Pictures | None = field(default=None, compare=False, repr=False)

    @property
    def digits(self) -> str | Pictures:
        """Where their digits are: their shelf, or the tag that names their folder."""
        return self.tag if self.shelf is None else self.shelf

    def may_change(self, owner: str) -> bool:
        """Return whether they may change what belongs to the tag `owner`; empty means nobody."""
        return self.owns_all or (owner != "" and owner == self.tag)


OWNER = Person("", "", owns_all=True)  # of the machine: whoever uses its command line


def tag_for(secret: str) -> str:
    """Return the tag of the person with this secret: a hash, which does not reveal it.

    The secret must be random and at least 128 bits long, since the hash is not salted.
    """
    return hashlib.sha256(b"digitlab " + secret.encode()).hexdigest()[:32]


def from_cookie(text: str) -> tuple[str, str]:
    """Return the secret and the name in a browser's cookie, both empty if it is damaged."""
    found = _KNOWN.fullmatch(text)
    return (found[1], unquote(found[2])) if found else ("", "")

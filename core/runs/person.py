"""Who acts on runs: a visitor of the server, or the owner of the machine."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """Somebody who starts and changes runs.

    `name` is the author of their runs, and empty where the machine's own user is meant; `tag` marks
    their runs in the store; `owns_all` is true for the owner of the machine and for an admin.
    """

    name: str
    tag: str
    owns_all: bool = False

    def may_change(self, owner: str) -> bool:
        """Return whether they may change what `owner` is the tag of; an empty one is nobody's."""
        return self.owns_all or (owner != "" and owner == self.tag)


OWNER = Person("", "", owns_all=True)  # of the machine: whoever uses its command line


def tag_for(secret: str) -> str:
    """Return the tag of whoever keeps a secret: a hash, from which it cannot be found.

    The secret must be random and at least 128 bits long, since the hash is not salted.
    """
    return hashlib.sha256(b"digitlab " + secret.encode()).hexdigest()[:32]

"""My digits: the digits that a person drew and labeled, as PNG files in the store's folder.

A picture is white on black, 28 × 28, 8 bits; its file name has the time of saving and the label.
The machine's owner has them in the folder itself, everybody else in a folder named by their tag,
with their name in a file. The digits of a public demo's visitor are only in memory, until their
session ends. So the argument `whose` is a tag, or a shelf of pictures: see `Person.digits`.
"""

import io
import re
import secrets
import time
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InkError, RunError
from core.runs.person import OWNER, Person, Pictures
from core.runs.store import directory
from core.whole import store_whole

SPLIT = "my digits"  # their name on the Evaluate page, besides `answers.SPLITS`
MOST = 2_000  # digits of one person
MOST_IN_MEMORY = 200  # of a visitor whose digits are not written to the disk
NAME_FILE = "name.txt"
MOST_BYTES = 8_000_000  # of an archive
_PICTURE_BYTES = 4_000  # the largest PNG of 28 × 28 pixels is smaller
_NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}-[0-9]\.png", re.ASCII)
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others cannot be unpacked in bounded pieces


@dataclass(frozen=True, eq=False)
class Collection:
    """`names (N)`, oldest first; `images (N, 28, 28) uint8`, ink is 255; `labels (N,) uint8`."""

    names: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def folder(owner: str = OWNER.tag) -> Path:
    """Return the folder of a person's pictures, by their tag; it may not exist yet."""
    return directory() / "my-digits" / owner


def names(whose: str | Pictures = OWNER.tag) -> tuple[str, ...]:
    """Return the names of all digits of a person, oldest first."""
    if not isinstance(whose, str):
        return tuple(sorted(whose))
    if not folder(whose).is_dir():
        return ()
    found = (path.name for path in folder(whose).iterdir())
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))


def load(whose: str | Pictures = OWNER.tag) -> Collection:
    """Return all digits of a person. Raises InkError if one cannot be read."""
    found = _files(whose)
    place = folder(whose) if isinstance(whose, str) else folder()
    images = np.zeros((len(found), 28, 28), np.uint8)
    for number, (name, content) in enumerate(found.items()):
        images[number] = _picture(content, place / name)
    return Collection(tuple(found), images, np.array([*map(label_of, found)], np.uint8))


def load_some(whose: str | Pictures = OWNER.tag) -> Collection:
    """Return a person's digits, at least one. Raises RunError if there are none, or InkError."""
    digits = load(whose)
    if not digits.names:
        raise RunError("My digits is empty. Draw a digit on the Draw page and save it.")
    return digits


def keep(image: NDArray[np.float32], label: int, by: Person = OWNER) -> str:
    """Save a (28, 28) digit in [0, 1] with its label; return its name. Raises InkError if full."""
    content = io.BytesIO()
    Image.fromarray((image.clip(0, 1) * 255).round().astype(np.uint8)).save(content, "PNG")
    name = f"{time.strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}-{label}.png"
    _write({name: content.getvalue()}, by)
    return name


def forget(name: str, by: Person = OWNER) -> None:
    """Delete one of a person's digits; do nothing if it is gone already, or somebody else's."""
    if by.shelf is not None:
        by.shelf.pop(name, None)
    elif _NAME.fullmatch(name):
        (folder(by.tag) / name).unlink(missing_ok=True)


def archive(whose: str | Pictures = OWNER.tag) -> bytes:
    """Return a person's digits as one ZIP file, which `restore` reads. Raises InkError."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, picture in _files(whose).items():
            file.writestr(name, picture)
    return content.getvalue()


def restore(content: bytes, by: Person = OWNER) -> int:
    """Add the digits of an archive; return how many were new. Raises InkError if it is invalid."""
    if len(content) > MOST_BYTES:
        raise InkError(
            f"The file is larger than {MOST_BYTES // 1_000_000} MB. Upload a smaller one."
        )
    try:
        if content.count(_ENTRY) > 2 * MOST:  # listing so many members would fill the memory
            raise InkError(_FOREIGN)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            pictures = {one.filename: _unpacked(file, one) for one in file.infolist()[: MOST + 1]}
        for name, picture in pictures.items():  # all are checked before any is saved
            _picture(picture, folder(by.tag) / name)
    except (
        Exception
    ) as error:  # zipfile, zlib and Pillow raise all kinds of errors for damaged files
        raise InkError(_FOREIGN) from error
    there = names(by.digits)
    new = {name: picture for name, picture in pictures.items() if name not in there}
    _write(new, by)
    return len(new)


_ENTRY = b"PK\x01\x02"  # the signature of a member in an archive's directory
_FOREIGN = "The file was not made by My digits. Upload a my-digits.zip that was downloaded there."


def _unpacked(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes; unpack no more than a picture may have. Raises InkError."""
    if not _NAME.fullmatch(member.filename) or member.compress_type not in _PACKED:
        raise InkError(_FOREIGN)
    with file.open(member) as stream:
        content = stream.read(_PICTURE_BYTES + 1)
    if len(content) > _PICTURE_BYTES:
        raise InkError(_FOREIGN)
    return content


def label_of(name: str) -> int:
    """Return the label of the digit with this name."""
    return int(name[-5])


def _files(whose: str | Pictures) -> Pictures:
    """Return the bytes of all pictures by name; skip those deleted by another session."""
    if not isinstance(whose, str):
        return {name: whose[name] for name in names(whose)}
    found = {}
    for name in names(whose):
        try:
            with (folder(whose) / name).open("rb") as file:
                found[name] = file.read(_PICTURE_BYTES + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise InkError(
                f"{folder(whose) / name} cannot be read: {error.strerror}. Delete it."
            ) from error
    return found


def _write(pictures: Pictures, by: Person) -> None:
    """Write new pictures by name, each completely or not at all. Raises InkError if too many."""
    most = MOST if by.shelf is None else MOST_IN_MEMORY
    if len(names(by.digits)) + len(pictures) > most:
        raise InkError(f"My digits holds at most {most:,} digits. Delete some first.")
    if by.shelf is not None:
        by.shelf.update(pictures)
        return
    own = {NAME_FILE: by.name.encode()} if by.tag else {}
    unwritten = f"The digit could not be written to {folder(by.tag)}"
    for name, content in (own | pictures).items():
        save = partial(Path.write_bytes, data=content)
        store_whole(folder(by.tag) / name, save, unwritten, InkError)


def _picture(content: bytes, path: Path) -> NDArray[np.uint8]:
    """Return a PNG file's (28, 28) pixels. Raises InkError if it is another kind of file."""
    foreign = f"{path.name} is not a picture of 28 × 28 gray pixels. Delete it from {path.parent}."
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if (picture.size, picture.mode) == ((28, 28), "L"):
                return np.asarray(picture, np.uint8)
    except Exception as error:  # Pillow raises all kinds of errors for damaged files
        raise InkError(foreign) from error
    raise InkError(foreign)

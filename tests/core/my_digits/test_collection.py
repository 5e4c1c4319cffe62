"""My digits: saved, listed, deleted, moved elsewhere; other files are refused."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from core.errors import InkError
from core.my_digits import collection


def digit(seed: int) -> np.ndarray:
    """A (28, 28) picture in [0, 1] unlike any other."""
    return np.random.default_rng(seed).random((28, 28), np.float32)


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", how) as file:
        for name, data in members:
            file.writestr(name, data)
    return content.getvalue()


def test_kept_digits_come_back_as_they_were() -> None:
    """Image and label survive, to the 256 grays that a picture has."""
    kept = {collection.keep(digit(label), label): label for label in (7, 0, 9)}
    found = collection.load()
    assert found.names == collection.names() == tuple(sorted(kept))
    for name, image, label in zip(found.names, found.images, found.labels, strict=True):
        assert kept[name] == label
        np.testing.assert_allclose(image / 255, digit(int(label)), atol=0.5 / 255 + 1e-6)


def test_forgotten_digit_is_gone_and_no_other_file(own_runs) -> None:  # type: ignore[no-untyped-def]
    """Deleting removes one digit; a name that is not a digit's deletes nothing."""
    first, second = collection.keep(digit(1), 1), collection.keep(digit(2), 2)
    collection.forget(first)
    collection.forget(first)
    collection.forget("../store.db")
    assert collection.names() == (second,)
    assert (own_runs / "store.db").exists()


def test_archive_restores_elsewhere_and_adds_nothing_twice(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """A download uploaded on another machine gives the same collection, once."""
    for label in (3, 5):
        collection.keep(digit(label), label)
    here, content = collection.load(), collection.archive()
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "elsewhere"))
    assert collection.names() == ()
    assert collection.restore(content) == 2
    assert collection.restore(content) == 0
    there = collection.load()
    assert there.names == here.names
    np.testing.assert_array_equal(there.images, here.images)


GOOD = "20261122T101010-0123abcd-4.png"


def png(mode: str = "L", size: tuple[int, int] = (28, 28)) -> bytes:
    """A picture's file."""
    content = io.BytesIO()
    Image.new(mode, size).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"no archive at all",
        b"",
        zipped(("notes.txt", b"hello")),
        zipped((f"../{GOOD}", png())),
        zipped((GOOD, b"no picture")),
        zipped((GOOD, png(size=(5_000, 5_000)))),
        zipped((GOOD, png(size=(20, 28)))),
        zipped((GOOD, png("RGB"))),
        zipped((GOOD, b"\0" * 100_000_000)),
        zipped((GOOD, png()), ("20261122T101010-0123abcd-5.png", b"no picture")),
        b"\0" * (collection.MOST_BYTES + 1),
    ],
    ids=[
        *("no archive", "empty", "text", "path", "no picture", "large", "narrow", "color", "bomb"),
        *("half good", "too long"),
    ],
)
def test_foreign_file_is_refused_and_leaves_nothing(content: bytes) -> None:
    """A message says what to do; not even the good ones of a bad archive are kept."""
    with pytest.raises(InkError, match=r"Upload|Delete"):
        collection.restore(content)
    assert collection.names() == ()


def mutated(content: bytes, random: np.random.Generator) -> bytes:
    """The bytes with some overwritten, and perhaps some cut out, doubled or missing at the end."""
    data = bytearray(content)
    for place in random.integers(len(data), size=random.integers(1, 9)):
        data[place] = random.integers(256)
    start, stop = sorted(random.integers(len(data), size=2))
    match random.integers(6):
        case 0:
            del data[start:stop]
        case 1:
            data[start:start] = data[start:stop]
        case 2:
            del data[stop:]
    return bytes(data)


WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def test_broken_archives_are_refused_or_taken() -> None:
    """An archive with any wrong bytes is read, or refused in one sentence."""
    random = np.random.default_rng(0)
    names = [GOOD.replace("-4", f"-{label}") for label in range(3)]
    refused = 0
    for how in WAYS:
        whole = zipped(*((name, png()) for name in names), how=how)
        for _ in range(500):
            try:
                collection.restore(mutated(whole, random))
            except InkError as error:
                refused += 1
                assert str(error) == (
                    "The file was not made by My digits. Upload a my-digits.zip that was "
                    "downloaded there."
                )
    assert refused > 1_000


def check_refused_in_little_memory(archive: bytes) -> None:
    """An archive is refused, and takes less than 1 MB of memory until then."""
    tracemalloc.start()
    with pytest.raises(InkError, match="not made by My digits"):
        collection.restore(archive)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("how", WAYS[1:], ids=["deflate", "bzip2", "lzma"])
def test_no_more_than_a_picture_is_unpacked(how: int) -> None:
    """A member that unpacks to 64 MB, and says that it has 100 bytes or all, fills no memory."""
    size = 64 * 2**20
    bomb = zipped((GOOD, bytes(size)), how=how)
    for content in (bomb, bomb.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))):
        check_refused_in_little_memory(content)


def test_directory_of_a_million_members_is_not_read() -> None:
    """Entries without any file behind them are refused before each becomes an object."""
    empty = zipped((GOOD, b""))
    entry, end = empty[empty.index(b"PK\x01\x02") : -22], empty[-22:]
    count = (collection.MOST_BYTES - 22) // len(entry)
    directory = entry * count
    end = end[:12] + len(directory).to_bytes(4, "little") + (0).to_bytes(4, "little") + end[20:]
    archive = directory + end
    check_refused_in_little_memory(archive)


def test_picture_that_would_decode_to_gigabytes_is_refused() -> None:
    """A header that says 20,000 × 20,000 is enough to refuse it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    with pytest.raises(InkError, match="not made by My digits"):
        collection.restore(zipped((GOOD, b"\x89PNG\r\n\x1a\n" + chunk + png()[33:])))
    name = collection.keep(digit(1), 1)
    (collection.folder() / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + png()[33:])
    with pytest.raises(InkError, match=name):
        collection.load()


def test_digit_deleted_meanwhile_is_left_out() -> None:
    """A digit deleted by another session between listing and reading is left out."""
    kept = collection.keep(digit(1), 1)
    gone = collection.folder() / kept.replace("-1.png", "-2.png")
    gone.symlink_to(collection.folder() / "nothing")  # listed, and not there when it is opened
    assert gone.name in collection.names()
    assert collection.load().names == (kept,)
    with zipfile.ZipFile(io.BytesIO(collection.archive())) as file:
        assert file.namelist() == [kept]


def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit nothing is written, and the message says so."""
    monkeypatch.setattr(collection, "MOST", 1)
    collection.keep(digit(1), 1)
    with pytest.raises(InkError, match="Delete some first"):
        collection.keep(digit(2), 2)
    assert len(collection.names()) == 1


def test_damaged_picture_is_named() -> None:
    """An overwritten file is named in the message."""
    name = collection.keep(digit(1), 1)
    (collection.folder() / name).write_bytes(b"oops")
    with pytest.raises(InkError, match=name):
        collection.load()


def test_archive_that_does_not_fit_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of its digits are saved, and the earlier ones stay."""
    for label in (1, 2, 3):
        collection.keep(digit(label), label)
    content = collection.archive()
    for name in collection.names():
        collection.forget(name)
    kept = collection.keep(digit(4), 4)
    monkeypatch.setattr(collection, "MOST", 3)
    with pytest.raises(InkError, match="Delete some first"):
        collection.restore(content)
    assert collection.names() == (kept,)

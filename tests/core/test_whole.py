"""Files that are written completely or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import InkError, StoreError, UserError
from core.whole import store_whole, write_whole


def test_several_may_write_the_same_file_at_once(tmp_path: Path) -> None:
    """The file is whole, one writer's, and no other file is left."""
    path = tmp_path / "same.txt"

    def write(number: int) -> None:
        write_whole(path, lambda partial: partial.write_text(1_000 * str(number)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, [1, 2, 3, 4] * 50))
    text = path.read_text()
    assert len(text) == 1_000 and len({*text}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_failure_keeps_the_earlier_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    """What was written before the failure is deleted, and the failure is raised as it was."""
    path = tmp_path / "kept.txt"
    path.write_text("earlier")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        write_whole(path, fail)
    assert path.read_text() == "earlier" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [StoreError, InkError])
def test_file_of_the_store_says_what_was_not_written(
    tmp_path: Path, error: type[UserError]
) -> None:
    """Its folder is created; where that is impossible, the message says what is missing and why."""
    path = tmp_path / "new" / "file"
    store_whole(path, Path.touch, "The file could not be written", error)
    (tmp_path / "file").touch()
    with pytest.raises(error, match=r"^The file could not be written: File exists\. Free some"):
        store_whole(
            tmp_path / "file" / "below",
            Path.touch,
            "The file could not be written",
            error,
        )
    assert path.exists()

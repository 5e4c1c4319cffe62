"""Other people's pen digits, from JSON lines."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.data.people import PenDigit, held_out, read_strokes, writer_weights
from core.errors import DataError

LINE = {"label": 4, "writer": "ann", "strokes": [[[0, 0], [10, 20]], [[5, 5]]]}


def test_digit_is_read_with_y_pointing_down(tmp_path: Path) -> None:
    """The file's y points up, as on paper; the canvas's points down."""
    path = tmp_path / "digits.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    [digit] = read_strokes(path)
    assert (digit.label, digit.writer) == (4, "ann")
    assert [stroke.tolist() for stroke in digit.strokes] == [[[0, 0], [10, -20]], [[5, -5]]]


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        "[]",
        "{}",
        json.dumps(LINE | {"label": 10}),
        json.dumps(LINE | {"label": "4"}),
        json.dumps(LINE | {"strokes": []}),
        json.dumps(LINE | {"strokes": [[[1, 2, 3]]]}),
        json.dumps(LINE | {"strokes": [[["a", "b"]]]}),
        json.dumps(LINE | {"strokes": [[[float("nan"), 1]]]}),
    ],
)
def test_line_that_is_not_a_digit_is_named(tmp_path: Path, line: str) -> None:
    """The message names the line and says what a line needs."""
    path = tmp_path / "digits.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + line + "\n")
    with pytest.raises(DataError, match="line 2 is not a digit"):
        read_strokes(path)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The message names a missing file."""
    with pytest.raises(DataError, match=r"absent\.jsonl cannot be read"):
        read_strokes(tmp_path / "absent.jsonl")


def digits(**counts: int) -> list[PenDigit]:
    """Return digits with the given number for each writer."""
    return [PenDigit(1, name, [np.zeros((2, 2))]) for name, count in counts.items() for _ in range(count)]  # fmt: skip # noqa: E501


def test_writers_are_held_out_whole() -> None:
    """No writer is on both sides, and every digit is on one."""
    every = digits(a=5, b=3, c=8, d=1)
    most, held = held_out(every, 0.5, seed=3)
    assert len(most) + len(held) == len(every)
    assert len({digit.writer for digit in held}) == 2
    assert not {digit.writer for digit in most} & {digit.writer for digit in held}


def test_writers_count_alike() -> None:
    """A writer with a hundred digits has the same weight as one with two."""
    weights = writer_weights(digits(a=100, b=2))
    assert weights[:100].sum() == pytest.approx(0.5) == weights[100:].sum()

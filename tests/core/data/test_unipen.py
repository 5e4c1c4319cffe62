"""UNIPEN's files, as the published collection has them, small."""

from pathlib import Path

import numpy as np
import pytest

from core.data.unipen import read_unipen
from core.errors import DataError

POINTS = """.COMMENT three strokes, four points each
.COORD X Y T
.PEN_DOWN
0 0 1
10 0 2
20 0 3
30 0 4
.PEN_UP
99 99 5
.PEN_DOWN
0 100 6
10 110 7
20 120 8
30 130 9
.PEN_UP
.PEN_DOWN
5 5 10
6 6 11
7 7 12
8 8 13
.PEN_UP
"""

FIRST = [(0, 0), (10, 0), (20, 0), (30, 0)]
SECOND = [(0, -100), (10, -110), (20, -120), (30, -130)]


def file(folder: Path, text: str, name: str = "digits.dat") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")
    return path


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("1", [SECOND]),
        ("0-1", [FIRST, SECOND]),
        ("0:2-1:1", [[(20, 0), (30, 0)], [(0, -100), (10, -110)]]),
        ("0:1-0:2", [[(10, 0), (20, 0)]]),
        ("0,2:3-2:3", [FIRST, [(8, -8)]]),
        ("2-9", [[(5, -5), (6, -6), (7, -7), (8, -8)]]),
    ],
)  # fmt: skip
def test_segment_names_strokes_and_points(
    tmp_path: Path, named: str, expected: list[list[tuple[int, int]]]
) -> None:
    """Whole strokes, ranges of them, and points within; y points down in what is returned."""
    [digit] = read_unipen(file(tmp_path, f'{POINTS}.SEGMENT CHARACTER {named} ? "7"\n'))
    assert digit.label == 7
    assert [stroke.tolist() for stroke in digit.strokes] == [
        [list(point) for point in stroke] for stroke in expected
    ]


def test_only_digits_are_returned_with_their_writers(tmp_path: Path) -> None:
    """Letters, words and missing strokes are skipped; a writer is valid until the next."""
    text = POINTS + (
        '.WRITER_ID ann\n.SEGMENT CHARACTER 0 ? "a"\n.SEGMENT WORD 0-2 ? "3"\n'
        '.SEGMENT CHARACTER 1 OK "3"\n.WRITER_ID bob\n.SEGMENT CHARACTER 2 GOOD "0"\n'
        '.SEGMENT CHARACTER 50 ? "9"\n'
    )
    found = [(digit.label, digit.writer) for digit in read_unipen(file(tmp_path, text))]
    assert found == [(3, "ann"), (0, "bob")]


def test_included_files_are_read_in_their_place(tmp_path: Path) -> None:
    """Strokes are counted through the files, and paths start from the root."""
    file(tmp_path, POINTS, "include/one.dat")
    main = file(tmp_path, '.INCLUDE include/one.dat\n.INCLUDE include/one.dat\n'
                '.SEGMENT CHARACTER 3 ? "1"\n', "data/main.dat")  # fmt: skip
    [digit] = read_unipen(main, tmp_path)
    assert digit.writer == "main"
    np.testing.assert_array_equal(digit.strokes[0][:2], [(0, 0), (10, 0)])


@pytest.mark.parametrize(
    "text",
    [
        ".INCLUDE ../outside.dat\n",
        ".INCLUDE digits.dat\n",
        ".INCLUDE missing.dat\n",
        ".PEN_DOWN\n1 one\n",
        ".COORD X T\n.PEN_DOWN\n1 2\n",
    ],
    ids=["outside", "circle", "missing", "no number", "no y"],
)
def test_invalid_files_are_refused(tmp_path: Path, text: str) -> None:
    """A message names the file, and nothing outside the folder is opened."""
    with pytest.raises(DataError, match="dat"):
        read_unipen(file(tmp_path, text))

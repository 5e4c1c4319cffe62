"""Measure how a run reads pictures as people take them, kind by kind; print the table.

python -m benchmarks.photos [--run RUN] [--count N]

Each kind is made of people's pen digits that nothing was trained on (DIGITLAB_DATA/pen/dev.jsonl
and unipen-dev.jsonl): a shadow, the table under the sheet, ruled paper, a form's cell and so on.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import photo_digits, photo_pages
from benchmarks.machine import RESULTS, keep, machine, percent, table
from benchmarks.photo_pages import Page, Random
from core.data import mnist
from core.data.people import PenDigit, read_strokes
from core.errors import InkError, UserError
from core.ink.photo import from_picture
from core.reading import one_or_two
from core.reading.reader import Reader
from core.runs import catalogue
from core.runs.run import BUILTIN
from core.training.handwriting import on_canvas

FILES = ("dev", "unipen-dev")  # in DIGITLAB_DATA/pen, for measuring only


@dataclass(frozen=True)
class Kind:
    """A kind of picture: how it is made, and of which digits; None is any digit."""

    page: Page
    of: tuple[int | None, ...] = (None,)


KINDS: dict[str, Kind] = {
    "plain": Kind(photo_pages.plain),
    **{
        f"dark strip at the {name}": Kind(photo_pages.dark_edge(side))
        for side, name in enumerate(("left", "top", "right", "bottom"))
    },
    "dark edges on two sides": Kind(photo_pages.dark_edges),
    "dark wedge along a side": Kind(photo_pages.dark_wedge),
    "shadow": Kind(photo_pages.shadow),
    "sheet on a dark table": Kind(photo_pages.on_table),
    **{
        f"frame of {width} px, {'cropped to it' if not outside else 'inside'}": Kind(
            photo_pages.framed(width, outside)
        )
        for width in (1, 2, 4)
        for outside in (0, 12)
    },
    "line at the right alone": Kind(photo_pages.line_at_right),
    **{
        f"{'squared' if squares else 'ruled'} paper, lines of {tone}": Kind(
            photo_pages.ruled(squares, tone)
        )
        for squares in (False, True)
        for tone in (150, 90)
    },
    "squared paper, photographed": Kind(photo_pages.ruled_photo),
    "1 with a flag": Kind(photo_digits.flagged, (1,)),
    "0 with a slash": Kind(photo_digits.slashed, (0,)),
    "7 with a bar": Kind(photo_digits.barred, (7,)),
    "4 as an L and a bar": Kind(photo_digits.open_four, (4,)),
    "stray dash": Kind(photo_digits.stray_dash),
    "dark, transparent margin": Kind(photo_pages.transparent_margin),
    "yellow on white": Kind(photo_pages.colored((255, 255, 255), (255, 235, 40))),
    "green on red, as light": Kind(photo_pages.colored((200, 40, 40), (30, 130, 30))),
    "16 bits, low range": Kind(photo_pages.low_range),
    "10, slanted 1": Kind(photo_digits.slanted_ten, (1, 0)),
    "row of five": Kind(photo_digits.row, (None,) * 5),
    "two rows of five": Kind(photo_digits.many_rows, (None,) * 10),
    "two that touch": Kind(photo_digits.touching, (None, None)),
    "decimal comma": Kind(photo_digits.with_comma, (None, None)),
    "minus": Kind(photo_digits.with_minus, (None, None)),
    "row of ten, sideways": Kind(photo_digits.sideways, (None,) * 10),
}


def answers(reader: Reader, page: Image.Image) -> tuple[list[int], bool]:
    """Return the digits read in a picture, none where it is refused, and whether all are sure."""
    try:
        found = from_picture(page)
    except InkError:
        return [], False
    _, read = one_or_two.read_all(reader, found)
    return [one.digit for one in read], all(one.sure for one in read)


def measure(reader: Reader, digits: Sequence[PenDigit], kind: Kind, count: int) -> dict[str, float]:
    """Return the shares of `count` pictures of a kind: right, refused, wrong and surely wrong."""
    random = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        chosen = [pick(digits, label, random) for label in kind.of]
        page = kind.page([on_canvas(digit.strokes) for digit in chosen], random)
        read, sure = answers(reader, page)
        right = read == [digit.label for digit in chosen]
        rows.append((right, not read, bool(read) and not right, sure and not right))
    means = np.mean(rows, axis=0).tolist()
    return dict(zip(("right", "refused", "wrong", "surely wrong"), means, strict=True))


def pick(digits: Sequence[PenDigit], label: int | None, random: Random) -> PenDigit:
    """Return a random digit with a label, or any."""
    while True:
        digit = digits[int(random.integers(len(digits)))]
        if label in (None, digit.label):
            return digit


def show(measured: dict[str, dict[str, float]]) -> str:
    """Return the table, with a row for each kind of picture."""
    columns = ("right", "refused", "wrong", "surely wrong")
    rows = [["kind of picture", *columns]]
    for name, shares in measured.items():
        rows.append([name, *(percent(shares[column]) for column in columns)])
    return table(rows)


def main() -> None:
    """Measure the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", default=BUILTIN, help="a RUN, or built-in")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    options = parser.parse_args()
    folder = mnist.directory() / "pen"
    digits = [digit for name in FILES for digit in read_strokes(folder / f"{name}.jsonl")]
    reader = Reader(catalogue.find(options.run))
    measured: dict[str, Any] = {}
    for name, kind in KINDS.items():
        measured[name] = measure(reader, digits, kind, options.count)
        print(name, measured[name], flush=True)
    print(f"\n{machine()}\n\n{show(measured)}")
    keep("photos", {"network": options.run, "count": options.count, "kinds": measured})
    print(f"\nKept in {RESULTS / 'photos.json'}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from error

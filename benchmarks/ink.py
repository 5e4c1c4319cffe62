"""Measure how well a run reads real pen digits, drawn, uploaded, photographed; print the tables.

python -m benchmarks.ink [--run RUN] [--pen FILE]

The digits are the 999 of the pen set's four writers (DIGITLAB_DATA/pen/dev.jsonl) and, writer by
writer, those of the files beside it that `benchmarks.writers` names. They serve for measuring
alone: nothing is trained on them, and nothing fitted.
"""

import argparse
import io
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks import writers
from benchmarks.ink_non_digits import no_digits, show_no_digits
from benchmarks.ink_pictures import PICTURES, Strokes, beside, pen_digits, photographed, squeezed
from benchmarks.machine import RESULTS, keep, machine, peak_bytes, percent, table
from core.data import mnist
from core.errors import InkError, UserError
from core.ink.normalization import Digit
from core.ink.photo import from_picture
from core.ink.strokes import from_strokes
from core.reading import one_or_two
from core.reading.reader import Reader
from core.runs import builtin, catalogue
from core.runs.run import BUILTIN
from tools import make_builtin


def measure(reader: Reader, path: Path) -> dict[str, Any]:
    """Return accuracies in [0, 1] by kind of drawing and picture, and which are misread."""
    strokes, labels = pen_digits(path)
    rows: dict[str, Any] = {}
    images = np.stack([one(lambda s=s: from_strokes(s)) for s in strokes])  # type: ignore[misc]
    rows["strokes, any pen"] = judged(reader, images, labels)
    misread = images, reader.read(images)
    for name, taken in PICTURES.items():
        random = np.random.default_rng(0)
        pages = [taken(one_digit, random) for one_digit in strokes]
        images = np.stack([one(lambda page=page: from_picture(page)) for page in pages])  # type: ignore[misc]
        theirs = reader.read(np.stack([squeezed(page) for page in pages]))
        rows[f"picture, {name}"] = judged(reader, images, labels) | {
            "squeezed": float((theirs.argmax(1) == labels).mean())
        }
        print(name, rows[f"picture, {name}"], flush=True)
    rows["several digits"] = several(reader, strokes, labels)
    wrong = misread[1].argmax(1) != labels
    show_misread(misread[0][wrong], labels[wrong], misread[1][wrong].argmax(1))
    return {
        "count": len(labels),
        "sure_from": reader.calibration.sure_from,
        "rows": rows,
        "no digits": no_digits(reader),
        "cost": cost(reader, path),
        "by writer": {
            name: writers.by_writer(reader, file)
            for name in writers.FILES
            if (file := path.with_name(f"{name}.jsonl")).exists()
        },
    }


def one(found: Callable[[], list[Digit]]) -> NDArray[np.float32]:
    """Return the only digit found; an empty image where there is none or are several."""
    try:
        digits = found()
    except InkError:
        digits = []
    return digits[0].image if len(digits) == 1 else np.zeros((28, 28), np.float32)


def judged(
    reader: Reader, images: NDArray[np.float32], labels: NDArray[np.int64]
) -> dict[str, float]:
    """Return the share read right, right among the first two, sure, and wrong of the sure."""
    read = reader.readings(images)
    answers = np.stack([one.probabilities for one in read])
    right = answers.argmax(1) == labels
    sure = np.array([one.sure for one in read])
    second = np.argsort(-answers, axis=1)[:, :2]
    return {
        "right": float(right.mean()),
        "among two": float((second == labels[:, None]).any(1).mean()),
        "sure": float(sure.mean()),
        "wrong of sure": float((~right & sure).sum() / max(sure.sum(), 1)),
    }


def several(reader: Reader, strokes: list[Strokes], labels: NDArray[np.int64]) -> dict[str, float]:
    """Return the share of 300 numbers of two to four digits that are read right as a whole."""
    random = np.random.default_rng(0)
    right = 0
    for _ in range(300):
        chosen = random.choice(len(labels), random.integers(2, 5), replace=False)
        page = beside([strokes[number] for number in chosen], random)
        try:
            found = from_picture(page)
        except InkError:
            continue
        _, read = one_or_two.read_all(reader, found)
        right += [one.digit for one in read] == labels[chosen].tolist()
    return {"right": right / 300}


def show_misread(
    images: NDArray[np.float32], labels: NDArray[np.int64], answers: NDArray[np.int64]
) -> None:
    """Keep what is still misread as one picture, truth and answer under each digit."""
    columns, tile = 12, 72
    rows = -(-len(images) // columns)
    page = Image.new("L", (columns * tile, max(rows, 1) * (tile + 14)), 255)
    pencil = ImageDraw.Draw(page)
    for number, (image, truth, answer) in enumerate(zip(images, labels, answers, strict=True)):
        x, y = number % columns * tile, number // columns * (tile + 14)
        digit = Image.fromarray((255 * image).astype(np.uint8)).resize((tile - 4, tile - 4), 0)
        page.paste(digit, (x + 2, y + 2))
        pencil.text((x + 20, y + tile), f"{truth} > {answer}", 0)
    page.save(Path(__file__).parents[1] / "docs" / "misread.png")


def cost(reader: Reader, path: Path) -> dict[str, float]:
    """Return the milliseconds that a drawing takes, prepared and read, on one thread; and a photo.

    The photo has 12 megapixels.
    """
    drawings, _ = pen_digits(path)
    times, whole = [], []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for strokes in drawings:
        begin = time.perf_counter()
        found = from_strokes(strokes)
        times.append(1000 * (time.perf_counter() - begin))
        one_or_two.read_all(reader, found)
        whole.append(1000 * (time.perf_counter() - begin))
    torch.set_num_threads(threads)
    photo = photographed(drawings[0], np.random.default_rng(0)).resize((4000, 3000))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=90)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        spent, peak = pool.apply(photo_cost, [file.getvalue()])
    return {
        "drawing, median ms": statistics.median(times),
        "drawing, slowest ms": max(times),
        "prepared and read, median ms": statistics.median(whole),
        "prepared and read, 95th percentile ms": float(np.percentile(whole, 95)),
        "photo, seconds": spent,
        "photo, megabytes of the process": peak,
    }


def photo_cost(content: bytes) -> tuple[float, float]:
    """Return the seconds that a picture takes, and this process's peak megabytes, torch's too."""
    begin = time.perf_counter()
    from_picture(content)
    spent = time.perf_counter() - begin
    return spent, peak_bytes() / 1e6


def show(measured: dict[str, Any]) -> str:
    """Return the README's table."""
    head = ["way in", "squeezed to 28 × 28", "ours", "right among two", "sure", "wrong when sure"]
    rows = [head]
    for name, row in measured["rows"].items():
        columns = ("squeezed", "right", "among two", "sure", "wrong of sure")
        rows.append([name, *(percent(row[key]) if key in row else "–" for key in columns)])
    return table(rows)


def in_words(measured: dict[str, Any]) -> str:
    """Return what the built-in network's card says."""
    rows = measured["rows"]
    pictures = [row["right"] for name, row in rows.items() if name.startswith("picture")]
    unsure = ", ".join(
        f"{percent(row['sure'])} of {name}" for name, row in measured["no digits"].items()
    )
    return (
        f"Of {measured['count']} pen digits of four people, which it never saw in training, it "
        f"reads {percent(rows['strokes, any pen']['right'])} as strokes, and "
        f"{100 * min(pictures):.2f} to {percent(max(pictures))} as pictures, by the kind of "
        f"picture. It calls {unsure} surely a digit. `python -m benchmarks.ink`."
    )


def main() -> None:
    """Measure the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", default=BUILTIN, help="a RUN, or built-in")
    parser.add_argument("--pen", type=Path, default=mnist.directory() / "pen" / "dev.jsonl")
    options = parser.parse_args()
    if not options.pen.exists():
        raise SystemExit(f"The pen digits are not at {options.pen}: name the file with --pen.")
    run = catalogue.find(options.run)
    reader = Reader(run)
    measured = measure(reader, options.pen)
    named = {"network": options.run, "test_accuracy": run.test_accuracy}
    print(f"{machine()}\n{named}, {measured['count']} digits\n\n{show(measured)}\n")
    print(f"{show_no_digits(measured['no digits'])}\n\n{measured['cost']}\n")
    print(writers.show(measured["by writer"]))
    keep("ink", named | measured)
    if run.id == BUILTIN:
        make_builtin.write(builtin.facts() | {"ink": in_words(measured)})
    print(f"\nKept in {RESULTS / 'ink.json'}; what is misread is in docs/misread.png")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from error

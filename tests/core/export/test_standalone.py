"""predict.py reads pictures as we do, without Digit Lab."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import mnist
from core.export import bundle
from core.export.standalone import standalone
from core.export.terms import File
from core.ink.photo import from_picture
from core.reading.reader import Reader
from core.runs import builtin

ROOT = Path(__file__).parents[3]


def test_file_needs_nothing_of_ours() -> None:
    """It compiles, imports no module of ours, and has no statement that it does not need."""
    text = standalone("core.export.predict")
    tree = ast.parse(text)
    sources = [
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    ] + [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {one for one in sources if one.split(".")[0] not in sys.stdlib_module_names} == {
        *("numpy", "numpy.typing", "onnxruntime", "PIL", "scipy"),
    }
    assert "def from_picture" in text and "def upright" not in text
    assert text.startswith('"""Read the digits in pictures')


def test_two_statements_of_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file could hold only one of them, so neither is dropped silently."""
    package = tmp_path / "core_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("LIMIT = 1\ndef first(): return LIMIT\n")
    (package / "two.py").write_text("LIMIT = 2\ndef second(): return LIMIT\n")
    ours = "from core_of_a_test.one import first\nfrom core_of_a_test.two import second\n"
    (package / "root.py").write_text(ours + "print(first(), second())\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("core.export.standalone._OURS", "core_of_a_test")
    with pytest.raises(ValueError, match="define LIMIT"):
        standalone("core_of_a_test.root")


@pytest.mark.slow
def test_hundred_digits_are_read_as_we_read_them(made: list[File], tmp_path: Path) -> None:
    """Ten pictures of ten digits, in a folder without Digit Lab: the same probabilities, boxes."""
    bundle.write(made, tmp_path)
    digits = mnist.load("sample").test_images[::10].reshape(10, 10, 28, 28)
    for number, row in enumerate(digits):
        page = np.concatenate(row, axis=1)
        large = Image.fromarray(255 - page).resize((1400, 140), Image.Resampling.BICUBIC)
        large.rotate(number / 4, fillcolor=255).save(tmp_path / f"{number}.png")
    (tmp_path / "blank.png").write_bytes(b"no picture")
    names = [*(f"{number}.png" for number in range(10)), "blank.png"]
    told = subprocess.run(
        [sys.executable, "-P", "predict.py", *names],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert told.returncode == 1, told.stderr
    *answers, failed = map(json.loads, told.stdout.splitlines())
    assert "not a picture" in failed["error"]
    found = [(name, one) for name in names[:-1] for one in from_picture(tmp_path / name)]
    assert len(found) == len(answers) >= 95  # a digit in two pieces counts twice, or joins another
    ours = Reader(builtin.run()).readings(np.stack([one.image for _, one in found]))
    for (name, digit), reading, answer in zip(found, ours, answers, strict=True):
        assert (answer["path"], answer["box"]) == (name, list(digit.box))
        assert answer["digit"] == reading.digit
        np.testing.assert_allclose(answer["probabilities"], reading.probabilities, atol=1e-4)

"""The README keeps up with the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.recipes import RECIPES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TREE = README[README.index("streamlit_app.py      ") :]


@pytest.mark.parametrize("room", ["pages", "ui", "core", "benchmarks"])
def test_tree_has_every_file_and_no_other(room: str) -> None:
    """Each file has its remark in the README's tree, and each remark its file."""
    section = re.search(rf"^{room}/.*\n((?:  .*\n)+)", TREE, re.MULTILINE)
    assert section
    told = set(re.findall(r"^  (\w+\.\w+)", section[1], re.MULTILINE))
    there = {path.name for path in (ROOT / room).iterdir() if path.suffix in (".py", ".png")}
    assert told == there - {"__init__.py"}


def test_every_command_is_told() -> None:
    """The commands of the README are those that the program offers."""
    told = set(re.findall(r"python -m core (\w+)", README))
    text = subprocess.run(
        [sys.executable, "-m", "core", "--help"], capture_output=True, text=True, check=True
    ).stdout
    offered = set(re.findall(r"^    (\w+) ", text, re.MULTILINE))
    assert told == offered


def test_every_recipe_has_its_measured_row() -> None:
    """The first table of results has each recipe once."""
    table = README[README.index("**Recipes on the full") : README.index("**Speed.**")]
    rows = re.findall(r"^\| `(\w+)` \| [\d,]+ \| \d+ \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(RECIPES)


def test_every_variable_that_the_code_reads_is_told() -> None:
    """No environment variable of ours is a secret."""
    read = set()
    for room in ("core", "ui", "pages"):
        for path in (ROOT / room).rglob("*.py"):
            read |= set(re.findall(r"\b(DIGITLAB_\w+)", path.read_text()))
    assert read == set(re.findall(r"^\| `(DIGITLAB_\w+)`", README, re.MULTILINE))


def test_pictures_of_the_readme_are_there() -> None:
    """Each screenshot that the README shows is in the repository."""
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures and all((ROOT / picture).is_file() for picture in pictures)

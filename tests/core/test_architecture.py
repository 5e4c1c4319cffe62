"""The direction of the arrows: pages → ui → core, never back."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, wherever in it."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.partition(".")[0])
    return packages


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [("core", {"streamlit", "ui", "pages"}), ("ui", {"pages"}), ("benchmarks", {"ui", "pages"})],
)
def test_no_room_reaches_up(room: str, forbidden: set[str]) -> None:
    """No file of a room imports what is built on it."""
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    reaching = {str(path): found for path in files if (found := imported(path) & forbidden)}
    assert reaching == {}


def test_every_torch_load_reads_weights_only() -> None:
    """No file opens a checkpoint in a way that could run code in it."""
    for room in ("core", "ui", "pages", "benchmarks"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                    options = {key.arg: ast.unparse(key.value) for key in node.keywords}
                    assert options.get("weights_only") == "True", path


def test_no_markdown_is_taken_for_html() -> None:
    """What people wrote can reach a page through Markdown, so Markdown never carries HTML."""
    for room in ("ui", "pages"):
        for path in (ROOT / room).rglob("*.py"):
            assert "unsafe_allow_html" not in path.read_text(), path

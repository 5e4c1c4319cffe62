"""The architecture: imports go down only, without circles, and folders keep their limits."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the top floor to the ground; a file may import from its own floor and from those below.
FLOORS = (
    *("pages", "ui", "door", "core.__main__", "core.commands"),
    *(
        "core.my_digits",
        "core.export",
        "core.figures",
        "core.experiments",
        "core.sweeps",
        "core.jobs",
        "core.reading",
        "core.runs",
    ),
    *("core.recipes", "core.training", "core.ink", "core.data", "core.evaluation"),
    *("core.config", "core.fields", "core.whole", "core.errors"),
)
ROOMS = ("pages", "ui", "door", "core", "tools", "benchmarks")


def modules(room: str) -> dict[str, Path]:
    """Return a folder's files by the name under which they are imported."""
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in files
    }


EVERY = {name: path for room in ROOMS for name, path in modules(room).items()}


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever in it; types alone count too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inside = f"{node.module}.{name.name}"
                yield inside if inside in EVERY else node.module


def floor(module: str) -> int | None:
    """Return the number of a module's layer, 0 at the top; None for a module that is not ours."""
    for number, name in enumerate(FLOORS):
        if module == name or module.startswith(f"{name}."):
            return number
    return None


def test_arrows_go_down_only() -> None:
    """No file imports from a layer above its own."""
    up = []
    for name, path in EVERY.items():
        here = floor(name)
        for other in imported(path):
            there = floor(other)
            if here is not None and there is not None and there < here:
                up.append(f"{name} → {other}")
    assert up == []


def test_every_file_of_core_has_its_floor() -> None:
    """Every file of core is on one of FLOORS; otherwise the test above would miss it."""
    assert [name for name in modules("core") if name != "core" and floor(name) is None] == []


def test_no_circle() -> None:
    """No file is imported, however indirectly, by what it imports."""
    arrows = {
        name: {other for other in imported(path) if other in EVERY and other != name}
        for name, path in EVERY.items()
    }
    order = list(TopologicalSorter(arrows).static_order())  # raises CycleError, naming the circle
    assert set(order) == set(EVERY)


@pytest.mark.parametrize(
    ("room", "foreign"),
    [
        ("core", {"streamlit", "ui", "pages", "tools", "benchmarks"}),
        ("door", {"streamlit", "ui", "pages", "tools", "benchmarks"}),
        ("tools", {"streamlit", "ui", "pages"}),
        ("benchmarks", {"streamlit.runtime", "streamlit.web", "ui", "pages"}),
        ("core.training", {"mlflow", "core.runs"}),
        ("core.evaluation", {"mlflow", "torch", "core.runs"}),
        ("core.data", {"mlflow", "torch", "core.runs"}),
        ("core.ink", {"mlflow", "torch", "core.runs"}),
    ],
)
def test_room_knows_nothing_of(room: str, foreign: set[str]) -> None:
    """Computation needs no Streamlit, and training needs no run store."""
    reaching = [
        f"{name} → {other}"
        for name, path in EVERY.items()
        if name == room or name.startswith(f"{room}.")
        for other in imported(path)
        if any(other == one or other.startswith(f"{one}.") for one in foreign)
    ]
    assert reaching == []


def test_first_page_waits_for_no_slow_library() -> None:
    """What every page imports before it is drawn loads neither PyTorch nor MLflow, 5 s together."""
    modules = "ui.sidebar, ui.guards, ui.data.browse, ui.data.download, ui.components.chart"
    code = f"import sys, {modules}; print({{'torch', 'mlflow'}} & {{*sys.modules}})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert told.stdout == "set()\n", told.stderr


def test_first_page_is_prepared_once_the_server_has_started() -> None:
    """The server is up before what the first page needs is imported, which takes 0.4 s."""
    code = """
import asyncio, sys, threading, time, streamlit_app
slow = lambda: {"pandas", "scipy.ndimage"} & {*sys.modules}
print(slow())
async def start():
    async with streamlit_app.lifespan(streamlit_app.app):
        while threading.active_count() > 1:
            time.sleep(0.1)
asyncio.run(start())
print(*sorted(slow()))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert told.stdout == "set()\npandas scipy.ndimage\n", told.stderr


def test_every_torch_load_reads_weights_only() -> None:
    """No file opens a checkpoint in a way that could run code in it."""
    for path in EVERY.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                options = {key.arg: ast.unparse(key.value) for key in node.keywords}
                assert options.get("weights_only") == "True", path


def test_no_markdown_is_taken_for_html() -> None:
    """People's text reaches pages through Markdown, so Markdown never allows HTML."""
    for path in EVERY.values():
        assert "unsafe_allow_html" not in path.read_text(), path


def test_pages_list_only_what_the_visitor_may_see() -> None:
    """Runs reach pages through `ui.runs`; the teacher's page alone has everybody's."""
    lists = re.compile(r"catalogue\.(listed|known|in_progress)\b")
    taking = [name for name, path in EVERY.items() if lists.search(path.read_text())]
    rooms = ("pages.", "ui.", "door.")
    assert [name for name in taking if name.startswith(rooms)] == [
        "ui.classroom.overview",
        "ui.runs",
    ]

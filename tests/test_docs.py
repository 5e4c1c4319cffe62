"""The README keeps up with the code."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from benchmarks import recipes
from core.recipes import RECIPES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TREE = README[README.index("streamlit_app.py      ") :]


def documented_files() -> set[str]:
    """Return the paths, from the root, of the files that the README's tree has a remark for."""
    folders: list[str] = []
    told = set()
    for line in TREE[: TREE.index("```")].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name, *others = line.split()
        folders[depth:] = [name] if name.endswith("/") else []
        if not name.endswith("/"):
            endings = [other for other in others if re.fullmatch(r"\.[a-z]+", other)]
            stem = "".join(folders) + name.rpartition(".")[0]
            told |= {f"{stem}.{name.rpartition('.')[2]}", *(stem + ending for ending in endings)}
    return told


def test_tree_has_every_file_and_no_other() -> None:
    """Each file has its remark in the README's tree, and each remark its file."""
    rooms = ("pages", "ui", "door", "core", "tools", "benchmarks")
    there = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py"
    }
    told = documented_files()
    assert {path for path in told if path.endswith(".py")} == there | {"streamlit_app.py"}
    assert [path for path in told if not (ROOT / path).is_file()] == []


def test_every_command_is_documented() -> None:
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


def test_table_of_recipes_is_what_was_measured() -> None:
    """The first table of results is what benchmarks/recipes.py makes of the results it kept."""
    kept = json.loads((ROOT / "benchmarks" / "results" / "recipes.json").read_text())
    assert recipes.show(kept["recipes"]) in README


def test_row_of_several_runs_has_their_number_and_range() -> None:
    """A recipe that was run with several seeds has means, ranges and the number of its runs."""
    runs = [
        {"parameters": 11_202, "train_seconds": seconds}
        | dict.fromkeys(("validation_accuracy", "test_accuracy"), reached)
        for seconds, reached in ((2.0, 0.9917), (4.0, 0.9924), (3.0, 0.9930))
    ]
    row = recipes.show({"fast_990": runs}).splitlines()[-1]
    told = "99.24 % (99.17 % to 99.30 %)"
    assert row == f"| `fast_990` | 11,202 | 1 | 3 | 3 | {told} | {told} | – |"


def test_every_variable_that_the_code_reads_is_documented() -> None:
    """Every environment variable of ours is in the README's table."""
    read = set()
    for room in ("core", "door", "ui", "pages"):
        for path in (ROOT / room).rglob("*.py"):
            read |= set(re.findall(r"\b(DIGITLAB_\w+)", path.read_text()))
    assert read == set(re.findall(r"^\| `(DIGITLAB_\w+)`", README, re.MULTILINE))


def test_newest_version_is_the_one_to_cite() -> None:
    """The package, the citation and the changelog's first section agree on version and date."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = (ROOT / "CITATION.cff").read_text()
    cited = re.findall(r"^(?:version|date-released): (.+)$", citation, re.MULTILINE)
    newest = re.search(r"^## (\S+), (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and cited == list(newest.groups())
    assert cited[0] == project["version"]


def test_pictures_of_the_readme_are_there() -> None:
    """Each screenshot that the README shows is in the repository."""
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures and all((ROOT / picture).is_file() for picture in pictures)


def test_every_route_is_documented() -> None:
    """The table of the door's addresses has those that the door answers at."""
    from door.routes import door

    told = set(re.findall(r"^\| `(?:GET|POST) api(/\S+?)(?:\?\S+)?` \|", README, re.MULTILINE))
    assert told == {route.path.replace("run_id", "id") for route in door().routes}

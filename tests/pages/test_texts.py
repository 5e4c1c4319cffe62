"""Users' text on every page is shown as it was typed, and does nothing."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.my_digits import collection
from core.runs import actions, catalogue
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.runs.store import connect
from tests.pages.drawing import ONE
from ui import format

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
HOSTILE = (
    "=MARK ![x](http://elsewhere.example/x.png) [l](http://elsewhere.example) $x^2$ &lt; -- -> "
    "www.elsewhere.example me@elsewhere.example :smile: :material/home: :red[r] <b>b</b> `c` #1"
)
# Where Streamlit and our components show text as it is.
LITERAL = {
    ("selectbox", "options"),
    ("selectbox", "raw_value"),
    ("text_input", "default"),
    ("text_area", "default"),
    ("text_input", "value"),
    ("text_area", "value"),
    ("bidi_component", "json"),
}
pytestmark = pytest.mark.usefixtures("whole_app")


@pytest.fixture
def hostile(trained: Path) -> list[Run]:
    """The trained runs and one in progress, with all that people and machines may have written."""
    runs = catalogue.listed()
    runs.append(catalogue.create(TrainConfig(), "sample", HOSTILE, "in progress"))
    going = {"state": State.RUNNING, "alive_until": str(time.time() + 600), "steps": "48"}
    catalogue.set_tags(runs[-1].id, going)
    for run in runs:
        with connect() as (client, _):  # a name as long as another program may give it
            client.update_run(run.id, name=HOSTILE)
        actions.note(OWNER, run, HOSTILE)
        names = ("author", "recipe", "reason", "warning", "host", "device", "precision")
        catalogue.set_tags(run.id, dict.fromkeys(names, HOSTILE))
    return [catalogue.get(run.id) for run in runs]


def strings(message: Message, kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield each text of a message to the browser: of what element, in which field."""
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        for each in values:
            if isinstance(each, Message):
                yield from strings(each, kind)
            elif isinstance(each, str):
                yield kind, field.name, each


def told(page: AppTest) -> list[tuple[str, str, str]]:
    """Return each text on the page that has a person's in it, and may be Markdown."""
    assert not page.exception
    found = []
    for node in page._tree:
        kind, proto = str(node.type), getattr(node, "proto", None)
        if isinstance(proto, Message):
            found += [text for text in strings(proto, kind) if "MARK" in text[2]]
    return [text for text in found if text[:2] not in LITERAL]


def opened(name: str, **state: Any) -> AppTest:
    """Open a page with session state as given."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page(f"../pages/{name}.py")
    for key, value in state.items():
        page.session_state[key] = value
    return page.run()


@pytest.mark.parametrize(
    "name",
    ["home", "data", "experiments", "train", "evaluate", "draw", "inside", "sweeps", "compare"],
)
def test_no_page_takes_peoples_text_for_markdown(hostile: list[Run], name: str) -> None:
    """On each page a run's text is there, in the sidebar at least, and always escaped."""
    from ui import cache

    cache.warm_up().wait()
    collection.keep(np.eye(28, dtype=np.float32), 3)
    ids = [run.id for run in hostile]
    state = {"compared": ids, "watched": ids[0], "run": ids[0], "teaching": ids[-1]}
    texts = told(opened(name, split=collection.SPLIT, **state))
    assert texts
    for text in texts:
        assert format.plain(HOSTILE) in text[2], text


@pytest.mark.parametrize("name", ["evaluate", "draw"])
def test_no_error_takes_peoples_text_for_markdown(hostile: list[Run], name: str) -> None:
    """The message of an error has the run's name in it, as it was typed."""
    for file in hostile[0].folder.glob("*.*"):
        file.unlink()
    drawing = {"version": "7.4.0", "objects": [ONE]}
    canvas = {"canvas-0": {"drawing": {"raw": drawing, "data": None}}}
    page = opened(name, run=hostile[0].id, **canvas)
    assert [error.value for error in page.error if format.plain(HOSTILE) in error.value]
    for text in told(page):
        assert format.plain(HOSTILE) in text[2], text


def test_dialog_and_lesson_name_runs_as_they_are_called(hostile: list[Run]) -> None:
    """The question before deleting and the message of failed fine-tuning are not Markdown."""
    page = opened("compare", compared=[hostile[0].id], **{"run-to-delete": hostile[0].id})
    assert any(format.plain(HOSTILE) in text for *_, text in told(page) if "permanently" in text)
    catalogue.set_tags(hostile[-1].id, {"state": State.FAILED})
    collection.keep(np.eye(28, dtype=np.float32), 3)
    page = opened("evaluate", run=hostile[0].id, split="my digits", teaching=hostile[-1].id)
    assert any(format.plain(HOSTILE) in error.value for error in page.error)


def test_csv_has_no_formula(hostile: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """No cell that a person wrote begins with a character that makes a spreadsheet compute."""
    made: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(
        "streamlit.download_button",
        lambda label, data, file_name, *_, **__: made.update({file_name: data}),
    )
    actions.note(OWNER, hostile[0], "\t=1+1")
    opened("compare")
    rows = list(csv.DictReader(io.StringIO(made["runs.csv"]())))
    assert {row["name"] for row in rows} == {f"'{HOSTILE}", "built-in"}
    for row in rows:
        assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t"))]
    opened("evaluate", run=hostile[0].id)
    assert not [name for name in made if set(name) & set('/\\:*?"<>|\n')]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
    ],
)
def test_cell_begins_no_formula(text: str, cell: str) -> None:
    """A quote before it makes it text; a harmless cell is unchanged."""
    assert format.cell(text) == cell
    assert format.cell(f"mlp {text}") == f"mlp {text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://a.example", "http\\:|//a\\.example"),
        ("www.a.example", "www|\\.a\\.example"),
        ("me@a.example", "me@|a\\.example"),
        (":smile:", "\\:|smile\\:"),
        ("-- ->", "\\-|\\- \\-|\\>"),
        ("*a* $x$ &lt; <b>", "\\*a\\* \\$x\\$ \\&lt; \\<b\\>"),
    ],
)
def test_plain_text_has_nothing_that_markdown_converts(text: str, shown: str) -> None:
    """Markdown is escaped; addresses, icons and arrows are split by an invisible character (|)."""
    assert format.plain(text) == shown.replace("|", "\u2060")


def test_message_keeps_its_lines() -> None:
    """Lines stay lines, and an indented one does not become code."""
    assert format.message("first\n\n    second *line*") == "first  \nsecond \\*line\\*"

"""People may change their own runs, and nobody else's."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config import TrainConfig
from core.errors import RunError
from core.runs import actions, catalogue
from core.runs.person import OWNER, Person, tag_for
from core.runs.run import Run, State

ROOT = Path(__file__).parents[3]
ANNA, BEN = (Person(name, tag_for(f"the secret of {name}")) for name in ("Anna", "Ben"))
ADMIN = Person("Teacher", tag_for("the teacher's"), owns_all=True)
NOBODY = Person("", "")
# Every action, and what it takes beside the person and the run.
ACTIONS: dict[str, tuple[Any, ...]] = {
    "rename": ("another name",),
    "note": ("a remark",),
    "label": ("a label, another",),
    "pin": (True,),
    "archive": (True,),
    "delete": (),
    "request_stop": (),
    "reopen": (),
}
READING = {
    *("best", "find", "get", "in_progress", "known", "listed", "watched"),
    "stop_requested",
}


def run_of(person: Person, state: State = State.FAILED) -> Run:
    """Return a run of a person's in a state."""
    run = catalogue.create(TrainConfig(epochs=1), "sample", name="a run", by=person)
    if state != State.QUEUED:
        catalogue.set_tags(run.id, {"state": state})
    return catalogue.get(run.id)


def action(name: str, by: Person) -> Callable[[Run], None]:
    """Return the action as a person does it."""
    return lambda run: getattr(actions, name)(by, run, *ACTIONS[name])


def test_every_action_is_tried_here() -> None:
    """A new action is entered into ACTIONS, or it would escape the tests below."""
    there = {
        name
        for name, function in inspect.getmembers(actions, inspect.isfunction)
        if function.__module__ == actions.__name__ and not name.startswith("_")
    }
    assert there - {"own"} == set(ACTIONS)


def test_pages_change_runs_by_actions_alone() -> None:
    """No page, and no part of one, changes a run without checking its owner."""
    for room in ("pages", "ui", "door"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "catalogue":
                    assert node.attr in READING, path
                if isinstance(node, ast.ImportFrom) and node.module == "core.runs.store":
                    assert "purge" not in [name.name for name in node.names], path


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("stranger", [BEN, NOBODY])
@pytest.mark.parametrize("owner", [ANNA, OWNER])
@pytest.mark.parametrize("state", [State.QUEUED, State.FAILED])
def test_stranger_can_do_nothing(name: str, stranger: Person, owner: Person, state: State) -> None:
    """Every action of a stranger is refused with the owner's name, and changes nothing."""
    run = run_of(owner, state)
    with pytest.raises(RunError, match=f"belongs to {run.author}, who alone can change it"):
        action(name, stranger)(run)
    assert catalogue.get(run.id) == run
    assert not catalogue.stop_requested(run.id) and run.folder.exists()


def test_forged_owner_is_not_believed() -> None:
    """The owner is read from the store, not from the run that the caller passes."""
    from dataclasses import replace

    run = run_of(ANNA)
    with pytest.raises(RunError, match="belongs to Anna"):
        actions.delete(BEN, replace(run, owner=BEN.tag))


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("person", [ANNA, ADMIN, OWNER])
def test_owner_and_admin_can_do_everything(name: str, person: Person) -> None:
    """No action is refused to the run's owner, an admin, or the machine's owner."""
    action(name, person)(run_of(ANNA, State.QUEUED if name == "request_stop" else State.FAILED))


def test_run_carries_its_owner_and_no_secret() -> None:
    """The store has a person's name and the hash of their secret."""
    run = run_of(ANNA)
    assert (run.author, run.owner) == ("Anna", ANNA.tag)
    assert "secret" not in run.owner and len(run.owner) == 32
    assert run_of(OWNER).owner == ""

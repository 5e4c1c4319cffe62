"""Runs of a member's embedded store, moved to a real server."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.runs import actions, catalogue, files, move
from core.runs.move import Outcome
from core.runs.person import OWNER
from tests.core.runs.test_move import trained
from tests.team.conftest import Member, Server


def test_moved_runs_are_there_for_colleagues_and_a_deleted_one_stays_deleted(
    team: Server, member: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague lists them and downloads their files; a deleted one stays deleted."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "anna"))
    runs = [trained(name) for name in ("kept", "deleted later")]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", team.address)
    output, errors = member("anna", "-m", "core", "move").communicate(timeout=90)
    answers = [json.loads(line) for line in output.splitlines()]  # and MLflow prints nothing there
    assert [answer["outcome"] for answer in answers] == ["moved", "moved"], errors
    copies = [catalogue.get(answer["run"]) for answer in answers]
    assert [
        replace(copy, id=run.id, kept={}) for copy, run in zip(copies, runs, strict=True)
    ] == runs
    code = (
        "import json; from core.runs import catalogue, files;"
        f"path = files.path(catalogue.get({copies[0].id!r}), files.BEST);"
        "names = [(run.name, run.author) for run in catalogue.listed()];"
        "print(json.dumps([path.read_text(), names]))"
    )
    output, errors = member("boris", "-c", code).communicate(timeout=90)
    assert output, errors
    assert json.loads(output) == [
        "weights of kept",
        [["deleted later", "Anna"], ["kept", "Anna"]],
    ]
    actions.delete(OWNER, copies[1])
    assert [one.outcome for one in move.everything()] == [Outcome.THERE, Outcome.THERE]
    assert [run.name for run in catalogue.listed()] == ["kept"]
    assert files.path(copies[0], files.BEST).exists()

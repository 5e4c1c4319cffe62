"""The README's example of a team's day, command by command, on a real server."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.__main__ import main
from core.config import TrainConfig
from core.jobs import request, worker
from core.runs import catalogue
from core.runs.run import Run
from core.sweeps import confirmation, sweep
from tests.core.runs.test_move import trained
from tests.team.conftest import ROOT, Server

# What makes the commands quick: words of the README, and what stands in their place here.
QUICK = {
    "--trials 40": "--trials 2 --set epochs=1 train_size=300 validation_size=100",
    "--seeds 3": "--seeds 2 --set epochs=1 train_size=300 validation_size=100",
    "confirm rates": "confirm rates --best 1 --seeds 2",
}
SMALL = TrainConfig(network="mlp", epochs=2, train_size=300, validation_size=100)


def commands(**names: str) -> list[list[str]]:
    """Return the README's commands of that day, without `python -m core`, in words."""
    text = (ROOT / "README.md").read_text().partition("A team's day")[2]
    day = text.split("\n\n")[1]
    for words, instead in (QUICK | names).items():
        assert words in day
        day = day.replace(words, instead)
    found = [shlex.split(line, comments=True) for line in day.splitlines()]
    return [words[3:] for words in found if words[:3] == ["python", "-m", "core"]]


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that makes this process a member's: with a folder of that name for its runs."""
    return lambda name: monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / name))


@pytest.fixture
def stopped(team: Server, in_folder: Callable[[str], None]) -> Run:
    """A colleague's run, stopped after its first epoch; her folder is not at hand any more."""
    in_folder("colleague")
    run = worker.work(request.enqueue(SMALL, "sample", name="hers"), judge=lambda _: "by hand")
    in_folder("own")
    return run


def test_the_readmes_day_goes_as_it_says(
    team: Server, stopped: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs are moved, trained, gone on with and evaluated; a sweep ends with a tested winner."""
    monkeypatch.setattr(worker, "_make_model", lambda run: None)  # its own test waits for it
    with monkeypatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI")
        trained("from before")
    team.database("CREATE DATABASE sweeps")
    port = team.database("SELECT inet_server_port()")
    monkeypatch.setenv("DIGITLAB_SWEEPS", f"postgresql+psycopg2://digitlab@127.0.0.1:{port}/sweeps")
    told: dict[str, list[dict[str, Any]]] = {}
    threads, finish = torch.get_num_threads(), ["sweep", "work", "rates"]
    try:
        for words in [*commands(RUN=stopped.id), finish]:
            status = main(words)
            out, errors = capsys.readouterr()
            assert status == 0, (words, errors)
            told[" ".join(words[:2])] = [json.loads(line) for line in out.splitlines()]
    finally:
        torch.set_num_threads(threads)

    [resumed], [evaluated] = told["train --resume"], told[f"evaluate {stopped.id}"]
    assert (resumed["run"], resumed["epochs"]) == (stopped.id, 2)
    assert evaluated["accuracy"] == pytest.approx(resumed["test_accuracy"])
    runs = {run.name: run for run in catalogue.listed()}
    assert {"from before", "hers", "rates 1", "rates 2"} <= set(runs)
    widths = [
        [runs[f"{name}, seed {n}"].config.width for n in (0, 1)] for name in ("narrow", "wide")
    ]
    assert widths[0][0] == widths[0][1] < widths[1][0] == widths[1][1]
    verdict = confirmation.verdict(sweep.get("rates"))
    assert verdict and verdict.is_tested
    winners = [catalogue.get(one.run) for one in verdict.winner.seeds]
    assert all(run.calibration.temperature != 1 for run in winners)

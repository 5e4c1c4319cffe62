"""A store made by version 0.1.0: its runs open, evaluate and go on.

`tests/fixtures/store-0.1.0.tar.xz` was made by that version's command line, with two runs of
`quick_cnn`, 4 channels wide, on the sample: "old finished", two epochs, and "old stopped", stopped
in epoch 44 of 200.
"""

import tarfile
from pathlib import Path

import pytest

from core.data import mnist
from core.evaluation import metrics
from core.jobs import request
from core.runs import actions, answers, catalogue
from core.runs.history import read_history
from core.runs.person import OWNER
from core.runs.run import State
from tests.core.jobs.test_worker import wait

STORE = Path(__file__).parents[2] / "fixtures" / "store-0.1.0.tar.xz"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_only: None) -> None:
    """The store of version 0.1.0 is the one in use."""
    with tarfile.open(STORE) as file:
        file.extractall(tmp_path / "runs", filter="data")
    monkeypatch.setenv("DIGITLAB_RUNS", str(tmp_path / "runs"))


@pytest.mark.usefixtures("store")
def test_runs_are_listed_with_their_results() -> None:
    """State, settings and accuracies are those that were stored."""
    stopped, finished = catalogue.listed()
    assert (finished.name, finished.state, finished.epochs) == ("old finished", State.FINISHED, 2)
    assert (finished.validation_accuracy, finished.test_accuracy) == (0.64, 0.652)
    assert (stopped.name, stopped.state, stopped.epochs) == ("old stopped", State.STOPPED, 43)
    assert (stopped.config.width, stopped.config.ema, stopped.config.seed) == (4, 0.9, 3)
    assert read_history(finished).epochs["epoch"].tolist() == [1, 2]


@pytest.mark.usefixtures("store")
def test_finished_run_is_evaluated() -> None:
    """Its kept answers, and those that its network gives anew, have the accuracy of the store."""
    run, digits = catalogue.find("old finished"), mnist.load("sample")
    kept = answers.of(run, "test", digits)
    assert metrics.score(kept.probabilities, kept.labels)[1] == run.test_accuracy
    (run.folder / "validation.npy").unlink()
    anew = answers.of(run, "validation", digits)
    accuracy = metrics.score(anew.probabilities, anew.labels)[1]
    assert accuracy == pytest.approx(run.validation_accuracy, abs=0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("store")
def test_stopped_run_goes_on_from_its_last_epoch() -> None:
    """Resuming takes the old checkpoint; the epochs before stay as they were."""
    run = catalogue.find("old stopped")
    before = read_history(run).epochs
    request.launch(run)
    further = wait(run, lambda now: now.epochs > 43)
    actions.request_stop(OWNER, further)
    done = wait(run, lambda now: now.state.is_over)
    assert done.state == State.STOPPED
    assert read_history(run).epochs[:43].equals(before)

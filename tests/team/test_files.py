"""A run's files in the team's store, as its epochs end."""

import json
import signal
import time
from pathlib import Path

import pytest

from core.config import TrainConfig
from core.errors import RunError
from core.runs import catalogue, files, kept, sharing
from core.runs.run import Run, State
from tests.team.conftest import Member, Server

SETTINGS = ("network=mlp", "epochs=200", "train_size=3000", "validation_size=200")


@pytest.fixture
def anna_and_boris(
    team: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Run, Path, Path]:
    """A run in progress in Anna's folder, where the test runs; Boris has his own folder."""
    anna, boris = tmp_path / "anna", tmp_path / "boris"
    monkeypatch.setenv("DIGITLAB_RUNS", str(anna))
    run = catalogue.create(TrainConfig(network="mlp"), "sample", name="hers")
    catalogue.set_tags(run.id, {"trained_in": files.claim(run)})
    catalogue.move(run.id, State.RUNNING)
    return catalogue.get(run.id), anna, boris


def written(run: Run, epoch: int) -> None:
    """Write an epoch's files in Anna's folder."""
    for name in (files.BEST, files.LAST, files.VALIDATION):
        (run.folder / name).write_text(f"{name} of epoch {epoch}")


def test_a_colleague_gets_the_newest_epoch_that_is_complete(
    anna_and_boris: tuple[Run, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copies are fetched again once the run is further; half-sent epochs are not seen."""
    run, anna, boris = anna_and_boris

    def seen() -> tuple[str, str, int | None]:
        monkeypatch.setenv("DIGITLAB_RUNS", str(boris))
        now = catalogue.get(run.id)
        names = (files.BEST, files.VALIDATION)
        best, answers = (files.path(now, name).read_text() for name in names)
        epoch = files.network_epoch(now)
        monkeypatch.setenv("DIGITLAB_RUNS", str(anna))
        return best, answers, epoch

    with pytest.raises(RunError, match="is not in the team's store yet"):
        seen()
    for epoch in (1, 2, 3):
        written(run, epoch)
        sharing.send(run.id, run.folder, files.epochs(epoch, epoch))
        told = f"best.pt of epoch {epoch}", f"validation.npy of epoch {epoch}", epoch
        assert seen() == told
    written(run, 4)
    with monkeypatch.context() as patch:  # Anna's machine dies before the last word
        patch.setattr(catalogue, "set_tags", lambda *_: None)
        sharing.send(run.id, run.folder, files.epochs(4, 4))
    assert seen() == told
    assert files.path(catalogue.get(run.id), files.BEST).read_text() == "best.pt of epoch 4"
    sharing.publish(run.id, run.folder, files.epochs(4, 4))
    assert seen() == ("best.pt of epoch 4", "validation.npy of epoch 4", 4)


def test_the_best_epochs_file_is_sent_once_and_outlives_the_epochs_after_it(
    anna_and_boris: tuple[Run, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is the last one, it is one file under two names; later ones do not replace it."""
    run, anna, boris = anna_and_boris
    (run.folder / files.BEST).write_text("epoch 1")
    for epoch in (1, 2, 3, 4):
        (run.folder / files.LAST).write_text(f"epoch {epoch}")
        sent = sharing.send(run.id, run.folder, files.epochs(epoch, 1))
        assert (sent[files.BEST].at == sent[files.LAST].at) == (epoch == 1)
        monkeypatch.setenv("DIGITLAB_RUNS", str(boris))
        now = catalogue.get(run.id)
        told = [files.path(now, name).read_text() for name in (files.BEST, files.LAST)]
        assert told == ["epoch 1", f"epoch {epoch}"]
        monkeypatch.setenv("DIGITLAB_RUNS", str(anna))
    sharing.publish(run.id, run.folder, files.epochs(4, 1))
    assert set(catalogue.get(run.id).kept) == {files.BEST, files.LAST}


def test_answers_computed_from_an_earlier_network_are_not_kept(
    anna_and_boris: tuple[Run, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague's own copy of test.npy gives way to the one that the run has written."""
    run, _, boris = anna_and_boris
    written(run, 1)
    (run.folder / files.TEST).write_text("the run's")
    sharing.publish(run.id, run.folder, files.epochs(1, 1))
    monkeypatch.setenv("DIGITLAB_RUNS", str(boris))
    run.folder.mkdir(parents=True)
    (run.folder / files.TEST).write_text("computed here, from an earlier epoch")
    assert files.path(catalogue.get(run.id), files.TEST).read_text() == "the run's"


def test_two_folders_of_one_machine_are_told_apart(
    anna_and_boris: tuple[Run, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hers is outdated once the run was resumed in Boris's, though the host's name is the same."""
    run, anna, boris = anna_and_boris
    written(run, 1)
    sharing.publish(run.id, run.folder, files.epochs(1, 1))
    monkeypatch.setenv("DIGITLAB_RUNS", str(boris))
    files.path(catalogue.get(run.id), files.LAST)
    catalogue.set_tags(run.id, {"trained_in": files.claim(run)})
    written(run, 2)
    sharing.publish(run.id, run.folder, files.epochs(2, 2))
    monkeypatch.setenv("DIGITLAB_RUNS", str(anna))
    assert files.path(catalogue.get(run.id), files.LAST).read_text() == "last.pt of epoch 2"


def test_a_dead_colleagues_network_is_evaluated(member: Member, team: Server) -> None:
    """After her run's process was killed, its last complete epoch can be read with and resumed."""
    anna = member("anna", "-m", "core", "train", "--name", "hers", "--set", *SETTINGS)
    deadline = time.monotonic() + 90
    while not (
        (runs := catalogue.listed())
        and files.BEST in runs[0].kept
        and runs[0].epochs >= runs[0].kept[files.BEST].epoch  # its metrics take up to 5 s
    ):
        assert time.monotonic() < deadline and anna.poll() is None, anna.communicate()
        time.sleep(0.2)
    anna.send_signal(signal.SIGKILL)
    run = runs[0]
    boris = member("boris", "-m", "core", "evaluate", run.id, "--split", "validation")
    told, errors = boris.communicate(timeout=90)
    assert boris.returncode == 0, errors
    answer = json.loads(told)
    assert answer["count"] == 200 and answer["accuracy"] > 0.5
    accuracies = [
        float(value)
        for value in team.database(
            "SELECT value FROM metrics WHERE key = 'epoch/validation_accuracy' ORDER BY step"
        ).splitlines()
    ]
    assert answer["accuracy"] == pytest.approx(accuracies[run.kept[files.BEST].epoch - 1])


@pytest.mark.parametrize("at", ["../best.pt", "/etc/passwd", "live/../../x", "", "a//b"])
def test_no_path_leads_out_of_a_runs_files(at: str) -> None:
    """A colleague cannot point the tag at another place."""
    assert kept.read(json.dumps({"best.pt": {"at": at, "sha256": "0", "epoch": 1}})) == {}

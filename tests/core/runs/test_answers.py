"""A run's kept answers, read back."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from core.data import mnist
from core.data.digits import Digits
from core.errors import RunError
from core.evaluation import metrics
from core.runs import answers, catalogue
from core.runs.run import Run, State
from core.runs.store import connect


@pytest.fixture
def run(trained: Path) -> Run:
    """A finished run on the sample."""
    return catalogue.find("mlp 500")


@pytest.fixture(scope="module")
def sample() -> Digits:
    """The data that the run saw."""
    return mnist.load("sample")


def test_kept_test_answers_give_the_recorded_accuracy(run: Run, sample: Digits) -> None:
    """The figure in the store and the answers in the folder are from one reading."""
    result = answers.of(run, "test", sample)
    assert metrics.score(result.probabilities, result.labels)[1] == run.test_accuracy
    assert result.images is sample.test_images and len(result.indices) == 1_000


def test_validation_answers_are_the_best_epochs(run: Run, sample: Digits) -> None:
    """They give the best validation accuracy, and their indices point into the training images."""
    result = answers.of(run, "validation", sample)
    accuracy = metrics.score(result.probabilities, result.labels)[1]
    assert accuracy == pytest.approx(run.validation_accuracy)
    np.testing.assert_array_equal(sample.train_images[result.indices], result.images)
    np.testing.assert_array_equal(sample.train_labels[result.indices], result.labels)


def test_missing_answers_are_computed_again(run: Run, sample: Digits) -> None:
    """Without its file, the best epoch's network answers the same, and the file is back."""
    before = answers.of(run, "test", sample).probabilities
    (run.folder / "test.npy").unlink()
    after = answers.of(run, "test", sample).probabilities
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert (run.folder / "test.npy").exists()


def test_other_data_are_refused(run: Run, sample: Digits) -> None:
    """Answers to the sample are not shown beside other images."""
    other = dataclasses.replace(sample, test_images=sample.test_images[::-1])
    with pytest.raises(RunError, match="trained on other data"):
        answers.of(run, "test", other)


def test_stopped_run_keeps_its_test_unread(run: Run, sample: Digits) -> None:
    """It can be resumed, so its test set is neither read nor shown, also while it is resumed."""
    for state in (State.STOPPED, State.FAILED, State.RUNNING):
        with connect() as (client, _):  # as its process leaves it, or a resumed one sets it
            client.set_tag(run.id, "state", str(state))
        catalogue.renew(run.id)
        stopped = catalogue.get(run.id)
        assert (stopped.state, stopped.test_accuracy) == (state, None)
        with pytest.raises(
            RunError, match=r"tested once, when it has finished\. Choose the split validation"
        ):
            answers.of(stopped, "test", sample)
        assert answers.splits(stopped, sample) == ("validation",)
        assert len(answers.of(stopped, "validation", sample).labels)


def test_damaged_answers_are_computed_again(run: Run, sample: Digits) -> None:
    """A truncated file counts as missing."""
    path = run.folder / "test.npy"
    path.write_bytes(path.read_bytes()[:1_000])
    result = answers.of(run, "test", sample)
    assert metrics.score(result.probabilities, result.labels)[1] == run.test_accuracy


def test_images_new_to_a_run_are_not_called_known(run: Run, sample: Digits) -> None:
    """Only for a run that may have learned from them are the test images known images."""
    with pytest.raises(RunError, match="Choose the split test"):
        answers.of(run, answers.KNOWN, sample)


def test_run_without_files_says_so(run: Run, sample: Digits) -> None:
    """A run whose folder is gone names itself and what to do."""
    for name in ("test.npy", "best.pt"):
        (run.folder / name).unlink()
    with pytest.raises(
        RunError, match=r"best\.pt of the run mlp 500 is missing.*Choose another run"
    ):
        answers.of(run, "test", sample)


def test_saving_leaves_no_partial_file(tmp_path: Path) -> None:
    """Answers appear whole under their name."""
    answers.save(tmp_path, "test", np.zeros((3, 10), np.float32))
    assert [path.name for path in tmp_path.iterdir()] == ["test.npy"]


def answer(probabilities: list[list[float]], indices: list[int]) -> answers.Result:
    """Return a result on digits 0, 1, … with the given rows of three probabilities."""
    rows = np.zeros((len(indices), 10), np.float32)
    rows[:, :3] = probabilities
    labels = np.arange(len(indices), dtype=np.uint8)
    images = np.zeros((len(indices), 28, 28), np.uint8)
    return answers.Result(rows, images, labels, np.array(indices))


def test_runs_as_one_answer_with_their_mean_probabilities() -> None:
    """Two runs that err on different digits are both corrected by their mean."""
    one = answer([[0.4, 0.6, 0.0], [0.1, 0.8, 0.1]], [5, 6])
    other = answer([[0.9, 0.1, 0.0], [0.5, 0.3, 0.2]], [5, 6])
    together = answers.together([one, other])
    np.testing.assert_allclose(together.probabilities[:, :3], [[0.65, 0.35, 0], [0.3, 0.55, 0.15]])
    assert metrics.score(one.probabilities, one.labels)[1] == 0.5
    assert metrics.score(other.probabilities, other.labels)[1] == 0.5
    assert metrics.score(together.probabilities, together.labels)[1] == 1


def test_answers_for_different_images_are_not_averaged() -> None:
    """Their rows would belong to different digits."""
    rows = [[0.4, 0.6, 0.0], [0.1, 0.8, 0.1]]
    with pytest.raises(RunError, match="different images"):
        answers.together([answer(rows, [5, 6]), answer(rows, [5, 7])])


def test_network_of_unknown_settings_is_not_validated(run: Run, sample: Digits) -> None:
    """It may have learned from any training image: of what it has not seen, only test is known."""
    taken = dataclasses.replace(run, imported="onnx", state=State.FINISHED)
    assert answers.splits(taken, sample) == ("test",)
    assert answers.splits(dataclasses.replace(taken, imported="run"), sample) == answers.SPLITS

"""The Evaluate page, empty and with runs on the sample."""

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data import mnist
from core.evaluation import calibration, metrics
from core.my_digits import collection
from core.runs import actions, answers, builtin, catalogue
from core.runs.answers import Result
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.runs.store import connect
from tests.pages.elements import metric, only, table_with
from ui import format, keys

APP = str(Path(__file__).parents[2] / "ui" / "app.py")

pytestmark = pytest.mark.usefixtures("whole_app")


def opened() -> AppTest:
    """Open the page, without a fault."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/evaluate.py").run()
    assert not page.exception and only(page.title).value == "Evaluate"
    return page


def answers_of(name: str, split: str = "test") -> tuple[Run, Result]:
    """Return a run and its answers."""
    run = catalogue.find(name)
    if split == collection.SPLIT:
        kept = collection.load_some()
        return run, answers.on_images(run, kept.images, kept.labels)
    return run, answers.of(run, split, mnist.load("sample"))


@pytest.fixture
def galleries(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the gallery was asked to show, last one last; its first tile counts as chosen."""
    shown: list[dict[str, Any]] = []

    def gallery(images: np.ndarray, captions: list[str], key: str, **options: Any) -> int:
        shown.append({"images": images, "captions": captions, **options})
        return 0

    monkeypatch.setattr("ui.evaluate.mistakes.gallery", gallery)
    return shown


@pytest.fixture
def click(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """A function that clicks a cell of the confusion matrix, before the page is opened."""

    def cell(truth: int, answer: int) -> None:
        def chart(*_: Any, on_click: Callable[[], None], **__: Any) -> dict[str, Any]:
            on_click()
            return {"x": answer, "y": truth, "customdata": None, "curve": 0}

        monkeypatch.setattr("ui.evaluate.matrix.chart", chart)

    return cell


def test_without_a_run_the_built_in_network_is_shown(sample_only: None) -> None:
    """On the sample only images that it may know, which are not called a test: the page says so."""
    page = opened()
    assert page.selectbox(key="run-choice").value == "built-in"
    assert page.segmented_control(key="split").options == ["known"]
    assert any("was trained on MNIST" in caption.value for caption in page.caption)
    result = answers.of(builtin.run(), answers.KNOWN, mnist.load("sample"))
    report = metrics.report(result.probabilities, result.labels)
    assert metric(page, "Accuracy").value == f"{100 * report.accuracy:.2f} %"


def test_known_images_set_no_threshold(sample_only: None) -> None:
    """Images that a network may have learned from set no threshold of sureness."""
    said = "\n".join(element.value for element in opened().markdown)
    assert "reliable is unknown" in said
    assert "sure of" not in said


def test_my_digits_are_a_split_of_any_run(trained: Path) -> None:
    """A saved digit makes them a split; undefined metrics are empty; without any, it is gone."""
    page = opened()
    assert page.segmented_control(key="split").options == ["test", "validation"]
    digits = mnist.load("sample")
    for number in range(3):
        collection.keep(digits.train_images[number] / 255, int(digits.train_labels[number]))
    page.run()
    page.segmented_control(key="split").set_value("my digits").run()
    assert not page.exception
    kept = collection.load_some()
    result = answers.on_images(catalogue.find("best"), kept.images, kept.labels)
    right = int((result.probabilities.argmax(1) == result.labels).sum())
    assert metric(page, "Accuracy").value == f"{100 * right / 3:.2f} %"
    assert page.button(key="teach").label == "Teach it my digits"
    classes = table_with(page, "f1").value
    matrix = metrics.confusion(result.probabilities, result.labels)
    absent = (matrix.sum(0) == 0) & (matrix.sum(1) == 0)
    assert absent.any() and classes["f1"].isna().tolist() == absent.tolist()
    assert classes["recall"].isna().tolist() == (matrix.sum(1) == 0).tolist()
    for name in collection.names():
        collection.forget(name)
    page.run()
    assert not page.exception
    assert page.segmented_control(key="split").value == "test"


def test_lesson_that_was_deleted_is_no_dead_end(trained: Path) -> None:
    """If the run that was learning is gone, the page offers fine-tuning again."""
    collection.keep(np.eye(28, dtype=np.float32), 1)
    learning = catalogue.find("mlp 500")
    page = opened()
    page.session_state["teaching"] = learning.id
    page.segmented_control(key="split").set_value("my digits").run()
    actions.delete(OWNER, learning)
    page.session_state["teaching"] = learning.id
    page.run()
    assert not page.error and not page.exception
    assert "teaching" not in page.session_state
    assert page.button(key="teach").label == "Teach it my digits"


def test_taught_run_is_shown_before_and_after(trained: Path) -> None:
    """Its parent is shown above it, on my digits and on MNIST."""
    digits = mnist.load("sample")
    collection.keep(digits.train_images[0] / 255, int(digits.train_labels[0]))
    child, parent = catalogue.find("cnn 1000"), catalogue.find("mlp 500")
    catalogue.set_tags(child.id, {"taught_from": parent.id})
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/evaluate.py")
    page.session_state["run"], page.session_state["split"] = child.id, "my digits"
    page.run()
    assert not page.exception
    table = next(frame.value for frame in page.dataframe if "MNIST test" in frame.value)
    assert table[""].tolist() == ["before: mlp 500", "after: cnn 1000"]
    accuracies = [run.test_accuracy for run in (parent, child)]
    assert table["MNIST test"].tolist() == [f"{100 * one:.2f} %" for one in accuracies]


def test_name_of_a_run_that_learns_is_not_taken_for_markdown(trained: Path) -> None:
    """What people wrote is shown as it is: it cannot bring a picture from elsewhere."""
    digits = mnist.load("sample")
    collection.keep(digits.train_images[0] / 255, int(digits.train_labels[0]))
    learning = catalogue.find("mlp 500")
    actions.rename(OWNER, learning, "![x](http://elsewhere/x.png)")
    with connect() as (client, _):  # only a test can make a finished run continue
        client.set_tag(learning.id, "state", State.RUNNING)
    catalogue.set_tags(learning.id, {"alive_until": str(time.time() + 600)})
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/evaluate.py")
    page.session_state["split"], page.session_state["teaching"] = "my digits", learning.id
    page.run()
    assert not page.exception
    told = [bar.proto.text for bar in page.get("progress")]
    assert any("elsewhere" in text for text in told)
    assert all("![" not in text for text in told)


def test_why_names_the_digits_found_alike(
    trained: Path, galleries: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chosen mistake's pixels speak for the answer or the truth; five digits are alike."""
    shown: list[list[str]] = []
    monkeypatch.setattr(
        "ui.explanation.strip", lambda images, captions, **_: shown.append(captions)
    )
    page = opened()
    page.toggle(key="why").set_value(True).run()
    assert not page.exception
    assert len(shown[-1]) == 5
    said = "\n".join(caption.value for caption in page.caption)
    assert "the cosine similarity of its features" in said


def test_numbers_are_the_reports(trained: Path) -> None:
    """Accuracy with its interval, loss and macro F1 are those of the best run's test answers."""
    run, result = answers_of("best")
    report = metrics.report(result.probabilities, result.labels)
    accuracy, loss, f1 = opened().metric
    low, high = (100 * bound for bound in report.interval)
    assert accuracy.value == f"{100 * run.test_accuracy:.2f} %"
    assert accuracy.delta == f"{low:.2f}–{high:.2f} %"
    assert loss.value == f"{report.loss:.4f}"
    assert f1.value == f"{100 * report.macro_f1:.2f} %"


def test_validation_has_numbers_of_its_own(trained: Path) -> None:
    """The other split shows the best validation accuracy, and is kept when the page is left."""
    page = opened()
    page.segmented_control(key="split").set_value("validation").run()
    run = catalogue.find("best")
    assert metric(page, "Accuracy").value == f"{100 * run.validation_accuracy:.2f} %"
    page.switch_page("../pages/compare.py").run()
    page.switch_page("../pages/evaluate.py").run()
    assert not page.exception
    assert metric(page, "Accuracy").value == f"{100 * run.validation_accuracy:.2f} %"


def test_mistakes_come_surest_first(trained: Path, galleries: list[dict[str, Any]]) -> None:
    """At most 60 a page, each with truth, answer, probability and the image's number."""
    page = opened()
    run, result = answers_of("best")
    calibrated = run.calibration.apply(result.probabilities)  # as Draw says them
    answers = metrics.answers(calibrated, result.labels, result.indices)
    wrong = answers[answers["truth"] != answers["answer"]].sort_values("confidence")[::-1]
    first = wrong.iloc[0]
    assert len(wrong) > 60 == len(galleries[-1]["captions"])
    assert galleries[-1]["captions"][0].replace("\u00a0", " ") == (
        f"{first.truth:.0f} → {first.answer:.0f}, {100 * first.confidence:.1f} % "
        f"#{first['index']:.0f}"
    )
    assert galleries[-1]["wrong"].all()
    only(page.get("pagination")).set_value(2).run()
    np.testing.assert_array_equal(galleries[-1]["images"][0], result.images[wrong.index[60]])


def test_cell_shows_exactly_its_images(
    trained: Path, galleries: list[dict[str, Any]], click: Callable[[int, int], None]
) -> None:
    """A click on a truth and an answer shows those images, all of them and no other."""
    _, result = answers_of("best")
    matrix = metrics.confusion(result.probabilities, result.labels)
    truth, answer = divmod(int((matrix * (1 - np.eye(10))).argmax()), 10)
    click(truth, answer)
    page = opened()
    inside = (result.labels == truth) & (result.probabilities.argmax(1) == answer)
    expected = {image.tobytes() for image in result.images[inside]}
    assert {image.tobytes() for image in galleries[-1]["images"]} == expected
    assert len(galleries[-1]["captions"]) == min(60, matrix[truth, answer])
    assert page.segmented_control(key="shown-images").options == [
        f"All mistakes ({matrix.sum() - np.trace(matrix):,})",
        f"{truth} → {answer} ({matrix[truth, answer]:,})",
    ]


def test_empty_cell_says_so(trained: Path, click: Callable[[int, int], None]) -> None:
    """A pair that was never confused has no image and no fault."""
    _, result = answers_of("best")
    matrix = metrics.confusion(result.probabilities, result.labels)
    truth, answer = divmod(int(matrix.argmin()), 10)
    assert matrix[truth, answer] == 0
    click(truth, answer)
    assert "No images to show." in [info.value for info in opened().info]


def test_tables_are_the_reports(trained: Path) -> None:
    """Classes are percentages with their support; pairs start with the most frequent."""
    page = opened()
    _, result = answers_of("best")
    report = metrics.report(result.probabilities, result.labels)
    classes, pairs = (frame.value for frame in page.dataframe)
    np.testing.assert_allclose(classes["recall"], 100 * report.classes["recall"])
    assert classes["support"].tolist() == [100] * 10
    assert pairs["count"].is_monotonic_decreasing
    assert pairs["count"].sum() == report.matrix.sum() - np.trace(report.matrix)


def test_downloads_are_csv_and_a_report(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer has its row, with ten probabilities that sum to 1; the report is of the run."""
    made: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(
        "streamlit.download_button",
        lambda label, data, file_name, *_, **__: made.update({file_name: data}),
    )
    opened()
    name = catalogue.find("best").name
    rows = list(csv.DictReader(io.StringIO(made[f"{name}-test-answers.csv"]())))
    assert len(rows) == 1_000
    assert sum(float(rows[0][f"p{digit}"]) for digit in range(10)) == pytest.approx(1, abs=1e-3)
    assert len(made[f"{name}-test-classes.csv"]().splitlines()) == 11
    assert len(made[f"{name}-test-confusion.csv"]().splitlines()) == 11
    page = made[f"{name}-report.html"]()
    assert (
        f"<h1>{name}</h1>" in page and format.percent(catalogue.find("best").test_accuracy) in page
    )


def test_run_in_progress_keeps_its_test_unread(trained: Path) -> None:
    """Only validation can be looked at until the run is over, so that test chooses nothing."""
    run = catalogue.find("best")
    page = opened()
    assert page.segmented_control(key="split").value == "test"
    with connect() as (client, _):  # only a test can make a finished run continue
        client.set_tag(run.id, "state", State.RUNNING)
    catalogue.set_tags(run.id, {"alive_until": str(time.time() + 600)})
    (run.folder / "test.npy").unlink()
    page.run()
    assert not page.exception
    assert page.segmented_control(key="split").options == ["validation"]
    assert not (run.folder / "test.npy").exists()


def test_run_whose_files_are_gone_leaves_a_way_out(trained: Path) -> None:
    """The page says what is missing, and another run can still be chosen."""
    for name in ("test.npy", "best.pt"):
        (catalogue.find("best").folder / name).unlink()
    page = opened()
    assert "Choose another run" in only(page.error).value
    other = next(run for run in catalogue.listed() if run.id != catalogue.find("best").id)
    page.selectbox(key="run-choice").set_value(other.id).run()
    assert not page.error and len(page.metric) == 3


def test_confidence_is_set_against_what_was_right(trained: Path) -> None:
    """The errors before and after are those of the run's own answers and temperature."""
    best = catalogue.best(catalogue.listed())
    assert best is not None and best.calibration.temperature != 1
    _, result = answers_of(best.name)
    after = best.calibration.apply(result.probabilities)
    page = opened()
    said = "\n".join(element.value for element in page.markdown)
    for told in (result.probabilities, after):
        assert f"{100 * calibration.expected_error(told, result.labels):.2f} %" in said
    assert "sure of" in said


def test_weakness_is_shown_alone_and_against_another_run(trained: Path) -> None:
    """Four panels and a sentence; against another run, what differs; of few images, nothing."""
    page = opened()
    assert "weakest" not in " ".join(element.value for element in page.markdown)  # collapsed
    page.session_state[keys.WEAKNESS] = True
    page.run()
    said = " ".join(element.value for element in page.markdown)
    assert ("It is weakest on" in said) != ("about equally good everywhere" in said)
    other = next(
        run for run in catalogue.listed() if run.id != page.selectbox(key="run-choice").value
    )
    page.selectbox(key="sliced-against").set_value(other.id).run()
    assert not page.exception
    said = " ".join(element.value for element in page.markdown)
    assert "points overall)" in said
    page.session_state["slice"] = ("thickness", 0)
    page.run()
    assert any("Thickness, fifth 1 of 5" in element.value for element in page.markdown)

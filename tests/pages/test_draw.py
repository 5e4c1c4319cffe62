"""The Draw page: a digit in, an answer out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data import mnist
from core.my_digits import collection, fitted
from core.runs import builtin
from core.runs.person import OWNER
from tests.pages.drawing import ONE, draw, says
from tests.pages.elements import only

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
pytestmark = pytest.mark.usefixtures("whole_app")


def opened(*strokes: dict[str, Any]) -> AppTest:
    """Open the page with some strokes on the canvas, without a fault."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/draw.py")
    return draw(page, *strokes)


def test_without_a_run_the_built_in_network_reads(sample_only: None) -> None:
    """A visitor draws at once; a vertical stroke is a 1."""
    page = opened(ONE)
    assert page.selectbox(key="run-choice").value == "built-in"
    assert says(page, "This looks like a 1 ")


def test_possible_non_digit_is_not_called_a_digit(sample_only: None) -> None:
    """A star gets the digits that it may be; beside a 1, only the star is called unsure."""
    corners = [(140, 30), (205, 229), (35, 106), (245, 106), (75, 229), (140, 30)]
    star = {**ONE, "path": [["M", *corners[0]], *(["L", *corner] for corner in corners[1:])]}
    page = opened(star)
    assert says(page, "This may not be a digit. If it is one: ") and not says(
        page, "This looks like"
    )
    page = opened({**ONE, "left": 20, "top": 140}, {**star, "left": 165, "top": 140})
    [doubt] = [text.value for text in page.caption if text.value.startswith("Not sure of")]
    assert doubt == "Not sure of digit 2: may not be a digit."


def test_built_in_network_reads_while_the_store_fails(
    sample_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says what is wrong with the store, and still reads digits."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    page = opened(ONE)
    assert "does not answer" in only(page.warning).value
    assert says(page, "This looks like a 1 ")


def test_empty_canvas_says_so_and_predicts_nothing(trained: Path) -> None:
    """Before the first stroke there is no answer."""
    page = opened()
    assert only(page.info).value == "The canvas is empty. Draw a digit."
    assert not says(page, "This looks like")


def test_drawing_is_read(trained: Path) -> None:
    """A stroke gets an answer with its probability, or the answers that it may have."""
    page = opened(ONE)
    answers = ("This looks like a ", "Not sure: ", "Probably a ")  # by how far it is relied on
    assert any(says(page, answer) for answer in answers) and not page.info


def test_confidence_below_the_runs_own_threshold_is_not_called_an_answer(trained: Path) -> None:
    """The same drawing is an answer for a run that was shown right from there, else candidates."""
    from core.runs import catalogue

    best = catalogue.best(catalogue.listed())
    assert best is not None
    catalogue.log(best.id, [("reading_sure_from", 0.0, 99), ("temperature", 1.0, 99)])
    assert says(opened(ONE), "This looks like a ")
    catalogue.log(best.id, [("reading_sure_from", 1.0, 100)])
    page = opened(ONE)
    assert says(page, "Not sure: ") and says(page, " or ") and not says(page, "This looks like")


def test_rows_are_read_as_lines(trained: Path) -> None:
    """Two strokes above one are two numbers, the upper one first."""
    upper = [{**ONE, "scaleY": 0.4, "left": left, "top": 60} for left in (60, 220)]
    page = opened(*upper, {**ONE, "scaleY": 0.4, "left": 140, "top": 220})
    [says_what] = [
        text.value for text in page.markdown if text.value.startswith("### This looks like ")
    ]
    first, second = says_what.removeprefix("### This looks like ").split(", ")
    assert (len(first), len(second)) == (2, 1)


def test_several_digits_are_read_as_a_number(trained: Path) -> None:
    """Two strokes far apart are two digits; the bars are of the one that is chosen."""
    page = opened({**ONE, "left": 200, "top": 140}, {**ONE, "left": 40, "top": 140})
    [says_what] = [
        text.value for text in page.markdown if text.value.startswith("### This looks like ")
    ]
    assert len(says_what.removeprefix("### This looks like ")) == 2
    choice = page.segmented_control(key="digit-of-2")
    assert choice.value == 0
    choice.set_value(1).run()
    assert not page.exception and page.segmented_control(key="digit-of-2").value == 1


def test_mark_too_small_to_be_a_digit_is_not_read(trained: Path) -> None:
    """A tap of the pen gets what to do next instead of an answer."""
    dot = {**ONE, "path": [["M", 10, 10], ["L", 11, 10]]}
    page = opened(dot)
    assert page.info and not says(page, "This looks like")


def test_random_digit_is_judged(trained: Path) -> None:
    """A test digit comes with its truth: right, or what it is."""
    page = opened()
    page.segmented_control(key="draw-mode").set_value("Random").run()
    assert says(page, "Right.") or says(page, "It is a ")
    shown = page.session_state["random-digit"]
    assert 0 <= shown < 1_000
    next(button for button in page.button if button.label == "Another digit").click().run()
    assert not page.exception


def test_best_run_reads_by_default(trained: Path) -> None:
    """Of two runs the one with the higher validation accuracy is chosen."""
    from core.runs import catalogue

    best = catalogue.best(catalogue.listed())
    assert best and opened().selectbox(key="run-choice").value == best.id


def test_one_click_keeps_a_drawing_with_its_label(trained: Path) -> None:
    """Under the answer, a digit's number keeps the 28 × 28; it can be taken back."""
    from core.my_digits import collection

    page = opened(ONE)
    [pills] = [pill for pill in page.get("button_group") if (pill.key or "").startswith("label-")]
    pills.set_value(1).run()
    assert not page.exception
    kept = collection.load()
    assert kept.labels.tolist() == [1] and kept.images[0].max() == 255
    assert says(page, "Saved in My digits as a 1.")
    page.button(key="take-back").click().run()
    assert collection.names() == () and not says(page, "Saved in My digits")


def test_test_digits_are_not_offered_to_be_kept(trained: Path) -> None:
    """Test images must not become training images."""
    page = opened()
    page.segmented_control(key="draw-mode").set_value("Random").run()
    assert not [group for group in page.get("button_group") if "label-" in (group.key or "")]


def test_folded_digits_are_not_read(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While My digits are folded they are counted; unfolded, they are decoded once."""
    import numpy as np

    from core.my_digits import collection

    read: list[int] = []

    def counted(owner: str) -> collection.Collection:
        kept = load(owner)
        read.append(len(kept.names))
        return kept

    load = collection.load
    monkeypatch.setattr(collection, "load", counted)
    for label in range(3):
        collection.keep(np.eye(28, dtype=np.float32), label)
    page = opened(ONE)
    [label] = [box.label for box in page.expander]
    assert label == "My digits (3)" and read == []
    page.session_state["my-digits-open"] = True
    page.run().run()
    assert not page.exception and read == [3]


def test_a_kept_digit_can_be_deleted(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one chosen in the gallery goes, the others stay."""
    import numpy as np

    from core.my_digits import collection

    first = collection.keep(np.eye(28, dtype=np.float32), 1)
    second = collection.keep(np.eye(28, dtype=np.float32), 2)
    wanted = collection.names().index(first)
    monkeypatch.setattr("ui.draw.my_digits.gallery", lambda *_, **__: wanted)
    page = opened()
    page.session_state["my-digits-open"] = True
    page.run()
    page.button(key="my-digits-delete").click().run()
    assert not page.exception and collection.names() == (second,)


@pytest.mark.slow
def test_twenty_digits_teach_it_ones_hand(sample_only: None) -> None:
    """The page says what is missing, learns at a click, reads with it, and undoes it."""
    digits = mnist.load("sample")
    for label in range(10):
        for place in np.flatnonzero(digits.test_labels == label)[: 2 if label else 1]:
            collection.keep(digits.test_images[place].astype(np.float32) / 255, label)
    page = opened(ONE)
    assert any(text.value.endswith("Still needed: 1 × 0.") for text in page.caption)
    zero = digits.test_images[digits.test_labels == 0][1].astype(np.float32) / 255
    collection.keep(zero, 0)
    page = opened(ONE)
    page.button(key="learn").click().run()
    assert not page.exception and says(page, "has learned your handwriting")
    assert says(page, "This looks like a 1 ")
    assert fitted.path_for(builtin.run(), OWNER).exists()
    page.button(key="unlearn").click().run()
    assert not says(page, "has learned your handwriting")
    assert not fitted.path_for(builtin.run(), OWNER).exists()

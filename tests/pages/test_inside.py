"""The Inside page: every layer, the sum behind a value, a map switched off, a network fooled."""

import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data import mnist
from core.errors import StoreError
from core.export import imported
from tests.core.training.onnx_files import linear, nearest_mean
from tests.pages.elements import only
from ui import cache, keys
from ui.components.brush import is_lifted, pixels
from ui.components.maps import NEGATIVE, POSITIVE, colored

pytestmark = pytest.mark.usefixtures("sample_only")


def opened(app: str, **state: object) -> AppTest:
    """Open the page with some session state, without a fault."""
    page = AppTest.from_file(app, default_timeout=60).switch_page("../pages/inside.py")
    page.session_state["random-digit"] = 5
    for key, value in state.items():
        page.session_state[key.replace("_", "-")] = value
    page.run()
    assert not page.exception
    return page


def test_onnx_file_cannot_be_looked_into(whole_app: str, tmp_path: Path) -> None:
    """The page says so, instead of layers; on Draw, the question why is answered likewise."""
    path = tmp_path / "theirs.onnx"
    path.write_bytes(linear(*nearest_mean(1, 0)))
    run = imported.take(path)
    page = opened(whole_app, **{keys.RUN: run.id})
    assert "theirs was imported from an ONNX file" in only(page.info).value
    page.session_state["draw-mode"] = "Random"
    page.session_state["why"] = True
    page.switch_page("../pages/draw.py").run()
    assert not page.exception
    assert any("was imported from an ONNX file" in one.value for one in page.caption)


def texts(page: AppTest) -> list[str]:
    """Return all Markdown on the page."""
    return [element.value for element in page.markdown]


def test_every_layer_of_the_built_in_network_is_there_at_once(whole_app: str) -> None:
    """Without a choice: a test digit, the answer, and the layers in order with their shapes."""
    page = opened(whole_app)
    truth = int(mnist.load("sample").test_labels[5])
    assert any(text.startswith(f"### It answers {truth} (") for text in texts(page))
    shown = [text for text in texts(page) if " maps of " in text or " numbers" in text]
    assert shown[0] == "**Convolution 1** · 32 maps of 12 × 12"
    assert shown[-1] == "**Dense** · 10 numbers"
    assert len(shown) == 14


def test_a_clicked_value_shows_its_sum_and_its_map_can_be_switched_off(whole_app: str) -> None:
    """The switch changes the answer's line, and one button switches every map on again."""
    value = {"key": "inside-maps-built-in-0", "channel": 3, "row": 6, "column": 6}
    page = opened(whole_app, inside_value=value)
    assert any(text.startswith("Map 4, row 7, column 7: ") for text in texts(page))
    assert any("Batch normalization 1 **" in text for text in texts(page))
    page.toggle(key="inside-off-0-3").set_value(True).run()
    assert not page.exception
    assert any(text.startswith("1 map is off; otherwise: ") for text in texts(page))
    assert any(text.startswith("Without it: ") for text in texts(page))
    page.button(key="inside-all-on").click().run()
    assert any(caption.value.startswith("Every map is on.") for caption in page.caption)
    assert page.toggle(key="inside-off-0-3").value is False


def test_a_covered_part_moves_the_answer_and_can_be_uncovered(whole_app: str) -> None:
    """With every pixel covered, the network is no longer sure; the button shows the digit again."""
    digit = mnist.load("sample").test_images[5].astype(np.float32) / 255
    covered = {"of": zlib.crc32(digit.tobytes()), "pixels": frozenset(range(784))}
    page = opened(whole_app, inside_covered=covered)
    [covered_answer] = [text for text in texts(page) if text.startswith("### It answers")]
    [told] = [text for text in texts(page) if text.startswith("A part is covered; otherwise: ")]
    page.button(key="inside-uncover").click().run()
    assert not page.exception
    [answer] = [text for text in texts(page) if text.startswith("### It answers")]
    assert answer != covered_answer
    assert told.removeprefix("A part is covered; otherwise: ")[:-1] in answer
    assert page.button(key="inside-uncover").disabled


def test_invalid_covered_pixels_are_ignored() -> None:
    """Numbers outside the digit, other types and overlong lists are ignored."""

    def said(covered: object) -> SimpleNamespace:
        return SimpleNamespace(covered={"pixels": covered, "lifted": True})

    assert pixels(said([0, 783, 784, -1, True, "5", 2.0, None])) == {0, 783}
    assert pixels(said([1] * 785)) == pixels(SimpleNamespace(covered=[5])) == pixels(None) == set()
    assert is_lifted(said([])) and not is_lifted(None)


def test_a_network_is_fooled_by_a_slider(whole_app: str) -> None:
    """At 0 it answers as before; beyond the smallest change, what was wanted."""
    page = opened(whole_app, inside_way="Fool it", inside_epsilon=0.0)
    truth = int(mnist.load("sample").test_labels[5])
    assert any(text.startswith(f"### Now it answers {truth} (") for text in texts(page))
    [smallest] = [text for text in texts(page) if text.startswith("The smallest change")]
    target = smallest.split("answer ")[1][0]
    page.slider(key="inside-epsilon").set_value(0.3).run()
    assert any(text.startswith(f"### Now it answers {target} (") for text in texts(page))
    page.button(key="inside-many").click().run()
    assert any("At ε = 0.1, **" in text for text in texts(page))


def test_a_digit_of_evaluate_is_looked_into(whole_app: str) -> None:
    """What See inside brings is the digit shown, with its label in the chart's place."""
    image = mnist.load("sample").test_images[9]
    digit = {"image": image, "truth": 3, "title": "Image 9, a 3"}
    page = opened(whole_app, inside_digit=digit, inside_source="From Evaluate")
    assert any(caption.value == "Image 9, a 3" for caption in page.caption)


def test_an_empty_canvas_asks_for_a_digit(whole_app: str) -> None:
    """Before the first stroke there is nothing to look into."""
    page = opened(whole_app, inside_source="Draw")
    assert "Draw or upload a digit" in only(page.info).value


def test_colors_are_on_one_scale_with_zero_in_the_middle() -> None:
    """Signed values are black at 0 and equally bright either way; others go from black to white."""
    signed = colored(np.array([-2, 0, 1, 2], np.float32)).tolist()
    assert signed[0] == list(NEGATIVE) and signed[1] == [0, 0, 0] and signed[3] == list(POSITIVE)
    assert signed[2] == [round(part / 2) for part in POSITIVE]
    assert colored(np.array([0, 5], np.float32)).tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.slow
def test_a_dream_forms_out_of_noise(whole_app: str) -> None:
    """Eight moments, of which the last reads as the digit; other noise gives another dream."""
    page = opened(whole_app, inside_way="Its dream of a digit")
    [strip] = [element.body for element in page.get("html") if "Step 0" in element.body]
    assert strip.count("<figcaption") == 8
    assert "Step 60: 3 (" in strip
    page.button(key="inside-noise").click().run()
    assert not page.exception
    [other] = [element.body for element in page.get("html") if "Step 0" in element.body]
    assert other != strip


def test_the_built_in_network_kept_no_moments(whole_app: str) -> None:
    """The page says what to do, and shows no slider."""
    page = opened(whole_app, inside_way="How it formed")
    assert "kept no moments. Train a run" in only(page.info).value


def test_store_that_fails_while_a_network_forms_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each update of the fragment shows the store's message, not a traceback."""

    def no_answer(_: object) -> None:
        raise StoreError("The team's run store does not answer.")

    def update() -> None:
        from core.runs import builtin
        from ui.inside import form

        form._moments(builtin.run())

    monkeypatch.setattr(cache, "formation", no_answer)
    app = AppTest.from_function(update).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["The team's run store does not answer\\."]

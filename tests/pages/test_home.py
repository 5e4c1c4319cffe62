"""The first page: a drawing is read at once, and four pages are a click away."""

import pytest
from streamlit.testing.v1 import AppTest

from core.data import mnist
from core.data.digits import SOURCES
from tests.pages.drawing import ONE, draw, says
from tests.pages.elements import only
from ui import cache


def opened(app: str, *strokes: dict[str, object]) -> AppTest:
    """Open the app with some strokes on the canvas, without a fault."""
    return draw(AppTest.from_file(app, default_timeout=60), *strokes)


def test_app_opens_with_a_canvas_and_four_links(whole_app: str, sample_only: None) -> None:
    """The first page asks for a digit and links to four pages."""
    page = opened(whole_app)
    assert only(page.title).value == "Draw a digit"
    links = {link.proto.label: link.proto.page for link in page.main.get("page_link")}
    assert links == {
        "See it learn": "experiments",
        "Why does it misread my digits?": "draw",
        "What is in the data?": "data",
        "Compare": "compare",
    }


def test_first_page_waits_for_no_data(
    whole_app: str, sample_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the libraries load, the sidebar says which data are in use without reading them."""
    with monkeypatch.context() as patch:
        patch.setattr(cache.WarmUp, "is_alive", lambda _: True)
        patch.setattr(mnist, "load", lambda _: pytest.fail("the data were read"))
        page = opened(whole_app)
        assert any(SOURCES["sample"] in caption.value for caption in page.sidebar.caption)


def test_libraries_load_once_the_first_page_is_drawn(
    whole_app: str, sample_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's threads take turns: until then, the page would wait for them."""
    monkeypatch.setattr(cache, "_SLOW", ())
    monkeypatch.setattr(cache, "_HEAD_START", 0.0)
    thread = cache.warm_up()
    thread.join(0.5)
    assert thread.is_alive()
    opened(whole_app)
    thread.join(60)
    assert not thread.is_alive()


def test_first_stroke_is_read(whole_app: str, sample_only: None) -> None:
    """A vertical stroke is a 1, without a choice of a run; a dot is too small."""
    assert says(opened(whole_app, ONE), "This looks like a 1 ")
    page = opened(whole_app, {**ONE, "path": [["M", 10, 10], ["L", 11, 10]]})
    assert not says(page, "This looks like") and says(page, "Draw")


def test_several_digits_are_read_as_a_number(whole_app: str, sample_only: None) -> None:
    """Two strokes far apart are one number of two digits."""
    page = opened(whole_app, {**ONE, "left": 200, "top": 140}, {**ONE, "left": 40, "top": 140})
    assert says(page, "This looks like 11")

"""The first page: a drawing is read at once, and four pages are a click away."""

from streamlit.testing.v1 import AppTest

from tests.pages.drawing import ONE, draw, says
from tests.pages.elements import only


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


def test_first_stroke_is_read(whole_app: str, sample_only: None) -> None:
    """A vertical stroke is a 1, without a choice of a run; a dot is too small."""
    assert says(opened(whole_app, ONE), "This looks like a 1 ")
    page = opened(whole_app, {**ONE, "path": [["M", 10, 10], ["L", 11, 10]]})
    assert not says(page, "This looks like") and says(page, "Draw")


def test_several_digits_are_read_as_a_number(whole_app: str, sample_only: None) -> None:
    """Two strokes far apart are one number of two digits."""
    page = opened(whole_app, {**ONE, "left": 200, "top": 140}, {**ONE, "left": 40, "top": 140})
    assert says(page, "This looks like 11")

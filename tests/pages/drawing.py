"""Pages with strokes on their canvas."""

from streamlit.testing.v1 import AppTest

Stroke = list[list[float]]  # [x, y] in pixels of the canvas, y down
ONE: Stroke = [[140, 40], [140, 130], [138, 240]]
DOT: Stroke = [[10, 10], [11, 10]]


def one_at(x: float, y: float = 140, scale: float = 1) -> Stroke:
    """A vertical stroke with its middle at (x, y)."""
    return [[x + scale * (left - 139), y + scale * (top - 140)] for left, top in ONE]


def draw(page: AppTest, *strokes: Stroke) -> AppTest:
    """Run a page with some strokes on the canvas, without a fault."""
    if strokes:
        page.session_state["canvas"] = {"strokes": list(strokes)}
    page.run()
    assert not page.exception
    return page


def says(page: AppTest, text: str) -> bool:
    """Whether the page says something in Markdown."""
    return any(text in element.value for element in page.markdown)

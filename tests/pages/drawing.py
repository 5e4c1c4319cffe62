"""Pages with strokes on their canvas."""

from typing import Any

from streamlit.testing.v1 import AppTest

ONE = {
    "type": "path",
    "path": [["M", 140, 40], ["Q", 140, 120, 140, 130], ["L", 138, 240]],
    "left": 0,
    "top": 0,
    "strokeWidth": 18,
}


def draw(page: AppTest, *strokes: dict[str, Any]) -> AppTest:
    """Run a page with some strokes on the canvas, without a fault."""
    if strokes:
        drawing = {"version": "7.4.0", "objects": list(strokes)}
        page.session_state["canvas-0"] = {"drawing": {"raw": drawing, "data": None}}
    page.run()
    assert not page.exception
    return page


def says(page: AppTest, text: str) -> bool:
    """Whether the page says something in Markdown."""
    return any(text in element.value for element in page.markdown)

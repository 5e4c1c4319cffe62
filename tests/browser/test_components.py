"""The chart and the gallery, as a person uses them in a browser."""

from __future__ import annotations

import base64
import io
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from core.figures.palette import CLASS_COLORS
from ui.components.tiles import sprite

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Start = Callable[..., "Page"]

THEME = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())[
    "theme"
]


IMPORTS = """
    import numpy as np
    import plotly.graph_objects as go
    import streamlit as st
    from ui.components.chart import chart, selected
    from ui.components.gallery import gallery
    from ui.components.tiles import sprite, tile
"""

APP = """
    from pathlib import Path
    import streamlit as st
    pages = [st.Page(path) for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    st.navigation([st.Page(lambda: None, title="Home"), *pages]).run()
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, serve_module: Callable[..., str]):
    """The folder and the address of an app under a base path, to which each test adds a page."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "app.py").write_text(textwrap.dedent(APP))
    return folder, serve_module(folder / "app.py", {"STREAMLIT_SERVER_BASE_URL_PATH": "lab"})


@pytest.fixture
def start(app: tuple[Path, str], new_page: Start, request: pytest.FixtureRequest) -> Start:
    """Adds the given code to the app as a page named after the test, and opens it."""

    def open_page(code: str, **options: object) -> Page:
        folder, address = app
        name = request.node.name
        (folder / f"{name}.py").write_text(textwrap.dedent(IMPORTS) + textwrap.dedent(code))
        return new_page(f"{address}/{name}", door=False, **options)

    return open_page


def drawing(page: Page, number: int = 0) -> Locator:
    """The node that Plotly draws on, once it has drawn."""
    page.locator(".digitlab-chart .main-svg").first.wait_for()
    return page.locator(".digitlab-chart .drawing").nth(number)


def center(page: Page, part: Locator) -> tuple[float, float]:
    """Return the position of an element's center in the window, after scrolling to it."""
    part.scroll_into_view_if_needed()
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


LIVE = """
    @st.fragment(run_every=0.5)
    def live():
        n = st.session_state["n"] = st.session_state.get("n", 10) + 1
        figure = go.Figure(go.Scatter(x=list(range(n)), y=[1 / (i + 1) for i in range(n)]))
        chart(figure, "loss")

    live()
"""

CONFUSION = """
    def count():
        st.session_state["clicks"] = st.session_state.get("clicks", 0) + 1

    digits = [str(i) for i in range(10)]
    figure = go.Figure(go.Heatmap(z=np.arange(100).reshape(10, 10), x=digits, y=digits,
                                  customdata=np.arange(300).reshape(10, 10, 3)))
    figure.update_layout(xaxis_type="category", yaxis_type="category")
    if st.toggle("move"):
        column = st.columns([4, 1])[0]
    else:
        column = st.container()
    with column:
        click = chart(figure, "confusion", on_click=count)
    st.text(f"{click}, clicks: {st.session_state.get('clicks', 0)}")
    st.button("Again")
"""


def test_chart_survives_new_data(start: Start):
    """The node, the zoom and the hover label survive several updates of the data."""
    page = start(LIVE)
    plot = drawing(page)
    plot.evaluate("node => node.mine = true")
    x, y = center(page, plot)
    page.mouse.move(x - 100, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=5)
    page.mouse.up()
    zoomed = "node => node._fullLayout.xaxis.range.map(v => Math.round(v * 1000))"
    before = plot.evaluate(zoomed)
    assert not plot.evaluate("node => node._fullLayout.xaxis.autorange")
    page.mouse.move(x - 50, y)
    page.locator(".digitlab-chart .hovertext").first.wait_for()

    count = plot.evaluate("node => node.data[0].x.length")
    page.wait_for_function(
        "count => document.querySelector('.drawing').data[0].x.length > count + 3", arg=count
    )
    assert plot.evaluate("node => node.mine")
    assert plot.evaluate(zoomed) == before
    assert page.locator(".digitlab-chart .hovertext").count() >= 1


def test_heatmap_click_reaches_python(start: Start):
    """A clicked cell is returned and kept, a second click counts too, and keys do the same."""
    page = start(CONFUSION)
    cell = center(page, drawing(page).locator(".nsewdrag").first)
    page.mouse.click(cell[0] + 5, cell[1] + 5)
    clicked = "{'x': '5', 'y': '4', 'customdata': [135, 136, 137], 'curve': 0}"
    page.get_by_text(f"{clicked}, clicks: 1").wait_for()
    page.mouse.click(cell[0] + 5, cell[1] + 5)
    page.get_by_text(f"{clicked}, clicks: 2").wait_for()
    page.get_by_role("button", name="Again").click()
    page.get_by_text(f"{clicked}, clicks: 2").wait_for()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        drawing(page).press(key)
    beside = "{'x': '6', 'y': '3', 'customdata': [108, 109, 110], 'curve': 0}"
    page.get_by_text(f"{beside}, clicks: 3").wait_for()


def test_clicked_cell_is_marked(start: Start):
    """The clicked cell has an edge, even after the chart is mounted again in another column."""
    page = start(CONFUSION)
    x, y = center(page, drawing(page).locator(".nsewdrag").first)
    page.mouse.click(x + 5, y + 5)
    page.get_by_text("clicks: 1").wait_for()
    edge = "() => document.querySelector('.drawing')?._fullLayout?.shapes?.[0]?.x0 === 4.5"
    page.wait_for_function(edge)
    page.locator(".drawing").evaluate("node => node.mine = true")
    page.get_by_text("move").click()
    page.wait_for_function("() => document.querySelector('.drawing')?.mine === undefined")
    page.wait_for_function(edge)


def test_chart_without_on_click_never_reruns(start: Start):
    """A click on a chart that asked for none starts no rerun."""
    page = start("""
        st.session_state["runs"] = st.session_state.get("runs", 0) + 1
        chart(go.Figure(go.Heatmap(z=[[1, 2], [3, 4]])), "plain")
        st.text(f"runs: {st.session_state['runs']}")
        st.button("Again")
    """)
    page.mouse.click(*center(page, drawing(page).locator(".nsewdrag").first))
    page.get_by_role("button", name="Again").click()
    page.get_by_text("runs: 2").wait_for()


def test_chart_follows_the_theme(start: Start):
    """Text and background have the theme's colors, and change with it on the same node."""
    page = start(LIVE, color_scheme="light")
    plot = drawing(page)
    plot.evaluate("node => node.mine = true")
    color = "document.querySelector('.drawing')._fullLayout.font.color"
    page.wait_for_function(f"{color} === '{THEME['light']['textColor']}'")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{color} === '{THEME['dark']['textColor']}'")
    assert plot.evaluate("node => node.mine")
    assert plot.evaluate("node => node._fullLayout.paper_bgcolor") == "rgba(0, 0, 0, 0)"


def test_chart_fits_a_narrow_screen(start: Start):
    """The chart takes a new width when the window does, and keeps its height."""
    page = start(LIVE, viewport={"width": 1000, "height": 800})
    box = drawing(page).bounding_box()
    assert box and box["width"] > 500
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_function("document.querySelector('.main-svg').clientWidth <= 360")
    narrow = drawing(page).bounding_box()
    assert narrow and narrow["height"] == box["height"] == 360


def test_small_values_have_no_prefix(start: Start):
    """A learning rate of 0.0004 is written so on its axis, not as 400μ."""
    page = start('chart(go.Figure(go.Scatter(y=[0, 0.0002, 0.0004])), "rate")')
    ticks = drawing(page).locator(".ytick").all_text_contents()
    assert "0.0004" in ticks
    assert all(float(tick) <= 0.001 for tick in ticks)


@pytest.mark.parametrize("width", [1440, 390])
def test_chart_is_drawn_in_one_go(start: Start, width: int):
    """The margins have room for titles, whole percentages and a legend; Plotly draws once."""
    page = start(
        """
        figure = go.Figure([go.Scatter(y=[0.9, 0.98], name=name) for name in ("one", "two")])
        figure.update_layout(title="Right answers", xaxis_title="epoch",
                             yaxis={"title": "right answers", "tickformat": ".0%"})
        chart(figure, "accuracy")
        """,
        viewport={"width": width, "height": 800},
    )
    drawing(page).locator(".legend").wait_for()
    again = drawing(page).evaluate("node => '_redrawFromAutoMarginCount' in node._fullLayout")
    assert not again


def test_chart_below_the_window_is_drawn_without_scrolling(start: Start):
    """It is drawn when the browser is idle, even if nobody scrolls to it."""
    page = start("""
        st.container(height=3000)
        chart(go.Figure(go.Bar(y=[1, 2])), "far")
    """)
    drawing(page).locator(".bars").wait_for()
    assert page.evaluate("window.scrollY") == 0


def test_charts_share_one_plotly(start: Start):
    """Two charts on a page under a base path fetch Plotly once, from the app itself."""
    page = start("""
        chart(go.Figure(go.Bar(y=[1, 2])), "one")
        chart(go.Figure(go.Bar(y=[2, 1])), "two", caption="The second")
    """)
    page.locator(".digitlab-chart:has-text('The second') .main-svg").first.wait_for()
    fetched = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    plotly = [url for url in fetched if "plotly-" in url]
    assert len(plotly) == 1
    assert "/lab/app/static/plotly-" in plotly[0]


def test_chart_has_no_cloud_button(start: Start):
    """The tools neither upload the chart nor show Plotly's logo."""
    page = start(LIVE)
    drawing(page).hover()
    titles = page.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map(b => b.dataset.title ?? b.getAttribute('aria-label') ?? b.title)"
    )
    assert any("Zoom" in title for title in titles)
    assert not any("Share" in title or "Plotly" in title for title in titles)


def test_chart_in_a_tab_is_drawn_when_shown(start: Start):
    """A chart in a tab that was hidden has the full width once its tab is opened."""
    page = start("""
        first, second = st.tabs(["First", "Second"])
        with second:
            chart(go.Figure(go.Bar(y=[1, 2])), "hidden")
    """)
    page.get_by_role("tab", name="Second").click()
    box = drawing(page).bounding_box()
    assert box and box["width"] > 300


def test_hovered_point_shows_its_digit_and_a_region_is_selected(start: Start):
    """A hovered point shows its digit; drawing around points selects them."""
    page = start("""
        images = np.zeros((6, 28, 28), np.uint8)
        figure = go.Figure(go.Scatter(x=[0, 1, 2], y=[0, 1, 2], mode="markers", marker_size=20,
                                      customdata=np.array([[3], [4], [5]])))
        figure.update_layout(dragmode="lasso")
        chart(figure, "map", tiles={"image": sprite(images, 3), "columns": 3}, selectable=True)
        st.text(f"selected: {selected('map')}")
        st.button("Again")
    """)
    x, y = center(page, drawing(page).locator(".nsewdrag").first)
    page.mouse.move(x, y)
    digit = page.locator(".digitlab-chart .digit")
    digit.wait_for()
    assert digit.evaluate("node => node.style.backgroundPosition") == "-84px -84px"
    page.mouse.move(x - 30, y - 30)
    page.mouse.down()
    for across, down in ((30, -30), (30, 30), (-30, 30), (-30, -30)):
        page.mouse.move(x + across, y + down, steps=3)
    page.mouse.up()
    page.get_by_text("selected: [4]").wait_for()
    page.get_by_role("button", name="Again").click()
    page.get_by_text("selected: [4]").wait_for()
    page.mouse.dblclick(x + 60, y)
    page.get_by_text("selected: []").wait_for()


GALLERY = """
    seed = 1 if st.toggle("other images") else 0
    images = np.random.default_rng(seed).integers(0, 256, (12, 28, 28)).astype(np.uint8)
    captions = [f"{i} → 9, 98.3 %" for i in range(11)] + ["<b>bold</b>"]
    choice = gallery(images, captions, "digits", wrong=np.arange(12) == 2)
    st.text(f"choice: {choice}")
    st.button("Again")
"""


def test_gallery_click_selects(start: Start):
    """A clicked tile is selected through reruns, until the images change."""
    page = start(GALLERY)
    third = page.get_by_role("button", name="3 → 9, 98.3 %", exact=True)
    third.click()
    page.get_by_text("choice: 3").wait_for()
    page.get_by_role("button", name="Again").click()
    page.get_by_text("choice: 3").wait_for()
    assert third.get_attribute("aria-pressed") == "true"
    page.get_by_text("other images").click()
    page.get_by_text("choice: None").wait_for()
    page.locator(".gallery:not(:has([aria-pressed='true']))").wait_for()


def test_gallery_by_keyboard(start: Start):
    """Tab moves between tiles, Enter selects, and the focus stays on the tile."""
    page = start(GALLERY)
    page.get_by_role("button", name="0 → 9, 98.3 %", exact=True).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("choice: 1").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.get_by_text("choice: 2").wait_for()
    focused = page.get_by_role("button", name="2 → 9, 98.3 %", exact=True)
    assert focused.evaluate("node => node.matches(':focus-visible')")
    assert focused.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"


def test_gallery_shows_captions_literally(start: Start):
    """Markup in a caption is text."""
    page = start(GALLERY)
    page.get_by_text("<b>bold</b>").wait_for()
    assert page.locator(".gallery b").count() == 0


def test_gallery_marks_mistakes(start: Start):
    """A wrong answer has a red edge, a right one has none."""
    page = start(GALLERY)
    page.locator(".gallery .wrong").wait_for()
    edges = page.locator(".gallery .digit").evaluate_all(
        "digits => digits.map(d => getComputedStyle(d).boxShadow !== 'none')"
    )
    assert edges == [i == 2 for i in range(12)]


def test_gallery_wraps_on_a_narrow_screen(start: Start):
    """At 390 px the tiles wrap, all of one size, and nothing scrolls sideways."""
    page = start(GALLERY, viewport={"width": 390, "height": 800})
    page.locator(".gallery button").first.wait_for()
    boxes = page.locator(".gallery .digit").evaluate_all(
        "digits => digits.map(d => d.getBoundingClientRect().toJSON())"
    )
    assert {(box["width"], box["height"]) for box in boxes} == {(72, 72)}
    assert max(box["right"] for box in boxes) <= 390
    assert len({box["top"] for box in boxes}) > 1


def test_tile_is_pixelated(start: Start):
    """A large tile is a picture of 28 × 28 scaled without smoothing, from either kind of array."""
    page = start("""
        tile(np.full((28, 28), 255, np.uint8), caption="bytes")
        tile(np.full((28, 28), 0.5, np.float32), caption="floats", width=140)
    """)
    for name, width in (("bytes", 280), ("floats", 140)):
        picture = page.get_by_alt_text(name)
        picture.wait_for()
        assert picture.evaluate("p => [p.naturalWidth, p.width]") == [28, width]
        assert picture.evaluate("p => getComputedStyle(p).imageRendering") == "pixelated"


def test_sprite_is_row_by_row():
    """Digit i of a sprite is in row i // columns, column i % columns."""
    images = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    data = base64.b64decode(sprite(images, 3).removeprefix("data:image/png;base64,"))
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    assert pixels[::28, ::28].tolist() == [[0, 1, 2], [3, 4, 0]]
    assert pixels.shape == (56, 84)


def test_theme_has_the_class_colors():
    """The theme's chart colors are the classes'."""
    assert tuple(THEME["chartCategoricalColors"]) == CLASS_COLORS

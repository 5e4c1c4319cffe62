"""The map of the digits: points, with similar images close together, and the images of a region."""

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core.data import maps, selection
from core.data.digits import Digits
from core.jobs import maps as job
from ui import cache, format, guards, keys
from ui.components.chart import Tiles, chart, selected
from ui.components.gallery import gallery
from ui.components.tiles import sprite
from ui.data import colors, paging
from ui.data.browse import HEIGHT

_METHODS = {"pca": "PCA", "tsne": "t-SNE"}
_COLUMNS = 50  # of the sprite with the map's digits
_MOST = 120  # images of a region that are shown
_EVERY = 0.5  # seconds between two updates of the progress


def show(digits: Digits) -> None:
    """Show a sample of the images as points, in the chosen colors."""
    top = st.container(horizontal=True, vertical_alignment="bottom")
    method = top.segmented_control(
        "Map",
        list(_METHODS),
        default="pca",
        required=True,
        format_func=_METHODS.__getitem__,
        key="data-map",
        persist_state="session",
        help="PCA projects the images onto the plane in which they vary most. t-SNE arranges them "
        "so that similar images are neighbors; distances between groups mean little. It takes "
        "about 10 s, but only once.",
    )
    split = top.segmented_control(
        "Images",
        ["train", "test"],
        default="train",
        required=True,
        format_func=paging.SPLITS.__getitem__,
        key="data-map-split",
        persist_state="session",
        help="Networks learn from the training images and are tested on the test images.",
    )
    lasso = top.toggle(
        "Lasso",
        key="data-lasso",
        persist_state="session",
        help="Draw a line around points to see their images. A double click ends it.",
    )
    places = _places(digits.source, split, method, job.job(digits, split).share is None)
    if places is not None:
        _draw(digits, method, split, places, lasso)
        return
    _places.clear()
    st.fragment(_wait, run_every=_EVERY)(digits, split)


def _wait(digits: Digits, split: str) -> None:
    """Show the progress of t-SNE; start it if it has not begun."""
    one = job.job(digits, split)
    if job.result(digits, split) is not None:
        st.rerun()
    if one.problem:
        st.warning(format.message(one.problem), icon=":material/warning:")
        if not st.button("Try again", key="map-again", icon=":material/replay:"):
            return
        one.progress.unlink(missing_ok=True)
    if one.share is None:
        with guards.messages():
            one.start()
    st.progress(one.share or 0.0, "Arranging the images …")
    st.caption("It continues when you leave this page, and the result is kept.")
    st.skeleton(HEIGHT - 110)


@st.cache_resource(max_entries=4, show_spinner="Arranging the images …")
def _places(source: str, split: str, method: str, idle: bool) -> "maps.Points | None":
    """Return the coordinates of a sample's images, `(N, 2)`; None before t-SNE is done."""
    digits = cache.digits(source)
    if method == "tsne":
        return job.result(digits, split)
    images = _sample(source, split)[1]
    return _plane(source, split).of(images)


@st.cache_resource(max_entries=2, show_spinner=False)
def _plane(source: str, split: str) -> maps.Components:
    return maps.components(_sample(source, split)[1])


@st.cache_resource(max_entries=2, show_spinner=False)
def _sample(source: str, split: str) -> tuple[NDArray[np.int64], NDArray[np.uint8], Tiles]:
    """Return a sample's numbers, its images and, for hovering, its tiles."""
    digits = cache.digits(source)
    numbers = maps.sample(digits, split)
    images, _ = selection.take(digits, numbers)
    return numbers, images, Tiles(image=sprite(images, _COLUMNS), columns=_COLUMNS)


def _draw(digits: Digits, method: str, split: str, places: maps.Points, lasso: bool) -> None:
    from core.figures.maps import digit_map

    row = st.container(horizontal=True, vertical_alignment="bottom")
    color = colors.choose(row)
    points = _points(digits, split, places)
    told = colors.colored(row, color, digits, points, split)
    _, images, tiles = _sample(digits.source, split)
    if told is None:  # this color is not available, and the page says why
        told, color = colors.Colored(points), "digit"
    points = told.points
    if told.people is not None:
        images, points = _with_people(digits, method, split, places, told)
        tiles = Tiles(image=sprite(images, _COLUMNS), columns=_COLUMNS)
    title = (
        "t-SNE: similar images are neighbors"
        if method == "tsne"
        else f"PCA: the plane that keeps {_plane(digits.source, split).share:.0%} of the variance"
    )
    key = f"data-map-{digits.source}-{split}-{method}"
    count = format.count(len(places))
    chart(
        digit_map(points, title.replace("%", "\u00a0%"), color, lasso=lasso),
        key,
        height=HEIGHT,
        tall=1.25,
        on_click=lambda: _enlarge(digits, points, st.session_state[key]["click"]["customdata"][0]),
        selectable=True,
        tiles=tiles,
        caption=f"A random sample of {count} {paging.SPLITS[split].lower()} images. "
        + ("Draw around some to see them." if lasso else "Click one to enlarge it.")
        + f" {told.caption}",
    )
    _region(digits, points, images, [one for one in selected(key) if one < len(points)])


def _points(digits: Digits, split: str, places: maps.Points) -> pd.DataFrame:
    """Return the points with columns x, y, digit, number (of the image) and name."""
    numbers = _sample(digits.source, split)[0]
    return pd.DataFrame(places, columns=["x", "y"]).assign(
        digit=selection.take(digits, numbers)[1],
        number=numbers,
        name=[f"{split} image {selection.place(digits, one)[1]:,}" for one in numbers.tolist()],
    )


def _with_people(
    digits: Digits, method: str, split: str, places: maps.Points, told: colors.Colored
) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Return the images of the sample and of people, and the points of both."""
    known = _sample(digits.source, split)[1]
    theirs, columns = told.people or (known[:0], told.points[:0])
    placed = (
        _plane(digits.source, split).of(theirs)
        if method == "pca"
        else maps.among(theirs, known, places)
    )
    more = columns.assign(x=placed[:, 0], y=placed[:, 1], number=-1)
    return np.concatenate([known, theirs]), pd.concat([told.points, more], ignore_index=True)


def _enlarge(digits: Digits, points: pd.DataFrame, row: int) -> None:
    """Show an image of the data set enlarged; people's own digits are not in it."""
    number = int(points["number"].iloc[row])
    if number >= 0:
        st.session_state[keys.CHOSEN] = (digits.source, number)


def _region(
    digits: Digits, points: pd.DataFrame, images: NDArray[np.uint8], rows: list[int]
) -> None:
    """Show the images in the region that was drawn, with their counts by label."""
    if not rows:
        return
    rows = sorted(rows)  # the chart returns them digit by digit; the sample is in random order
    inside = points.iloc[rows]
    counts = inside["digit"].value_counts()
    said = " · ".join(f"**{digit}**: {count:,}" for digit, count in counts.items())
    wrong = inside["answer"] != inside["digit"] if "answer" in inside else None
    misread = f", {int(wrong.sum()):,} of them read wrong" if wrong is not None else ""
    first = f" The first {_MOST}:" if len(rows) > _MOST else ""
    many = format.counted(len(rows), "image")
    st.markdown(f"{many} in the region{misread}. By label: {said}.{first}")
    if wrong is not None:  # mistakes come first
        rows = [rows[one] for one in np.argsort(~wrong.to_numpy(), kind="stable")]
    shown = points.iloc[rows[:_MOST]]
    with st.container(height=200, border=False):
        picked = gallery(
            images[shown.index],
            [str(digit) for digit in shown["digit"]],
            "data-region",
            wrong=(shown["answer"] != shown["digit"]).to_numpy() if wrong is not None else None,
            size=52,
            labels=[f"{digit}, {name}" for digit, name in shown[["digit", "name"]].to_numpy()],
        )
    number = None if picked is None else int(shown.index[picked])
    if number is not None and number != st.session_state.get(keys.REGION):
        _enlarge(digits, points, number)
    st.session_state[keys.REGION] = number

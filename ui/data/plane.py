"""The map of the digits: points, with similar images close together."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pandas as pd
import streamlit as st

from core.data import statistics
from core.data.digits import Digits
from ui import cache, format, keys
from ui.components.chart import Tiles, chart
from ui.components.tiles import sprite
from ui.data.browse import HEIGHT

_METHODS = {"pca": "PCA", "tsne": "t-SNE"}
_COLUMNS = 50  # of the sprite with the map's digits


def show(digits: Digits) -> None:
    """Show a sample of the training images as points, with similar images close together."""
    method = st.segmented_control(
        "Map",
        list(_METHODS),
        default="pca",
        required=True,
        format_func=_METHODS.__getitem__,
        key="data-map",
        persist_state="session",
        help="PCA projects the images on the plane in which they vary most. t-SNE arranges them so "
        "that similar images are neighbors; distances between groups mean little. It takes 10 to "
        "20 s.",
    )
    if method == "tsne" and not _tsne(digits.source)[0].done():
        _wait(digits.source)
    else:
        _draw_map(digits, method)


def _draw_map(digits: Digits, method: str) -> None:
    from core.figures.digits import digit_map

    points, tiles, share = _map(digits.source)
    if method == "tsne":
        points = points.assign(**dict(zip("xy", _tsne(digits.source)[0].result().T, strict=True)))
        title = "t-SNE: similar images are neighbors"
    else:
        title = f"PCA: the plane that keeps {share:.0%} of the variance"
    key = f"data-map-{digits.source}-{method}"

    def choose() -> None:
        _, index = st.session_state[key]["click"]["customdata"]
        st.session_state[keys.CHOSEN] = (digits.source, int(index))

    chart(
        digit_map(points, title),
        key,
        height=HEIGHT,
        on_click=choose,
        tiles=tiles,
        caption=f"A random sample of {format.count(len(points))} training images. "
        "Click one to enlarge it.",
    )


@st.fragment(run_every=1)
def _wait(source: str) -> None:
    future, started = _tsne(source)
    if future.done():
        st.rerun()
    st.caption(f"Arranging the images … {format.duration(time.monotonic() - started)}")
    st.skeleton(HEIGHT - 40)


@st.cache_data(max_entries=2, show_spinner="Arranging the images …")
def _map(source: str) -> tuple[pd.DataFrame, Tiles, float]:
    digits = cache.digits(source)
    indices = statistics.map_sample(digits)
    images = digits.train_images[indices]
    coordinates, share = statistics.pca_map(images)
    points = pd.DataFrame(coordinates, columns=["x", "y"])
    points = points.assign(digit=digits.train_labels[indices], index=indices)
    return points, Tiles(image=sprite(images, _COLUMNS), columns=_COLUMNS), share


@st.cache_resource(max_entries=2, show_spinner=False)
def _tsne(source: str) -> "tuple[Future[np.ndarray], float]":
    """Return the future t-SNE map, computed in a thread, and its start time."""
    digits = cache.digits(source)
    images = digits.train_images[statistics.map_sample(digits)]
    return ThreadPoolExecutor(1).submit(statistics.tsne_map, images), time.monotonic()

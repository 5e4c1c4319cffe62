"""The script that Streamlit runs: navigation, style, sidebar, and the current page."""

import os
from pathlib import Path

import streamlit as st

from ui import cache, people
from ui.guards import messages
from ui.sidebar import sidebar

if os.environ.get("DIGITLAB_DEMO"):  # a traceback would show the server's paths
    st.set_option("client.showErrorDetails", "none")

PAGES = {
    st.Page("../pages/home.py", title="Home", default=True): ":material/house:",
    st.Page("../pages/data.py", title="Data"): ":material/grid_view:",
    st.Page("../pages/experiments.py", title="Experiments"): ":material/science:",
    st.Page("../pages/train.py", title="Train"): ":material/model_training:",
    st.Page("../pages/evaluate.py", title="Evaluate"): ":material/fact_check:",
    st.Page("../pages/draw.py", title="Draw"): ":material/draw:",
    st.Page("../pages/inside.py", title="Inside"): ":material/layers:",
    st.Page("../pages/sweeps.py", title="Sweeps"): ":material/tune:",
    st.Page("../pages/compare.py", title="Compare"): ":material/compare_arrows:",
}
if os.environ.get("DIGITLAB_CLASS"):
    PAGES[st.Page("../pages/classroom.py", title="Class")] = ":material/groups:"

# Only the links have icons. A page's icon would also become the browser tab's icon, which Streamlit
# loads from another host.
page = st.navigation(list(PAGES), position="hidden")
st.set_page_config(
    f"{page.title} · Digit Lab", page_icon=str(Path(__file__).with_name("icon.png")), layout="wide"
)
# What the style changes, and why:
# - Streamlit's margin of 6 rem above each page takes a fifth of a small screen.
# - Its fade-in took a third of the browser's time with one redraw per second. Now stale parts turn
#   pale without a transition, and only after a second.
# - It keeps columns side by side down to a phone's width. Here they are stacked as soon as the
#   canvas, a chart or a table would be cut off, with Train's curves directly below Start.
# - The progress of a run takes as much height as its result, so that the curves do not move.
# - The reason why a file was refused is always visible, not only on hovering, and disappears with
#   the next file.
# - Segmented controls wrap, instead of hiding what does not fit in one line.
# - Captions, and text in the accent color, get enough contrast (4.5, as WCAG asks).
st.html(
    """<style>
    [data-testid=stMainBlockContainer] { padding-top: 3rem; }
    [data-testid=stElementContainer], [data-testid=stElementContainer] * { transition: none; }
    [data-testid=stElementContainer][data-stale=true] { transition: opacity 0s 1s; }
    [data-testid=stCaptionContainer] { color: inherit; opacity: 0.78; }
    [data-testid=stSliderThumbValue], button[data-selected=true] { color: inherit !important; }
    [data-testid=stStatusWidget] * { animation: none; }
    [data-testid=stButtonGroup] > div { flex-wrap: wrap; }
    .stFileChip { height: auto !important; flex-wrap: wrap; }
    .stFileChip [role=alert] {
        position: static !important; width: 100% !important; height: auto !important;
        clip-path: none !important; clip: auto !important; white-space: normal !important;
        margin: 0 !important; font-size: 0.85rem;
    }
    [data-testid=stFileChips] > * > :has([aria-invalid=true]):not(:last-child) { display: none; }
    .st-key-live-state { min-height: 2.5rem; }
    .st-key-verdict { min-height: 3rem; }
    .st-key-advice { min-height: 3.5rem; }
    @media (max-width: 640px) {
        [data-testid=stHorizontalBlock]:has(.st-key-canvas) { gap: 1rem; }
        .st-key-live-state { min-height: 4.5rem; }
        [data-testid=stLayoutWrapper]:has(> [class*=st-key-line-]) { min-width: 100%; }
        .st-key-verdict { min-height: 7rem; }
        .st-key-advice { min-height: 8.5rem; flex-wrap: wrap !important; }
    }
    @media (max-width: 1240px) {
        [data-testid=stColumn]:not([data-testid=stColumn] *) { min-width: 100%; }
        [data-testid=stColumn]:has(.st-key-train-start),
        [data-testid=stColumn]:has(.st-key-train-start) > [data-testid=stVerticalBlock] {
            display: contents;
        }
        [data-testid=stLayoutWrapper]:has(> .st-key-train-settings) { order: 1; }
    }
    </style>"""
)
sidebar(PAGES)
try:
    with messages():
        people.admit()
        page.run()
finally:
    cache.warm_up().begin()

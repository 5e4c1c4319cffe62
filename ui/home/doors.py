"""The four ways on from the first page."""

import streamlit as st

_DOORS = {
    "../pages/experiments.py": (
        "See it learn",
        ":material/science:",
        "Guess first, then watch networks learn side by side, in seconds.",
    ),
    "../pages/draw.py": (
        "Why does it misread mine?",
        ":material/search:",
        "See the pixels that speak for an answer, and against it.",
    ),
    "../pages/data.py": (
        "What is in the data?",
        ":material/grid_view:",
        "Look through the handwritten digits that networks learn from.",
    ),
    "../pages/compare.py": (
        "Compare",
        ":material/compare_arrows:",
        "Put runs side by side, and see whether one is better.",
    ),
}
# Two by two, also on a telephone, where the labels alone are shown: all four are in sight at once.
_STYLE = """<style>
.st-key-doors { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
.st-key-doors > * { width: 100%; height: 100%; }
.st-key-doors [data-testid=stPageLink] a p {
  font-weight: 600; white-space: normal; line-height: 1.3;
}
.st-key-doors [data-testid=stPageLink] a { padding-left: 0; }
.st-key-doors [data-testid=stCaptionContainer] { margin-top: 0.25rem; }
@media (max-width: 640px) {
  .st-key-doors { gap: 0.5rem; }
  .st-key-doors [data-testid=stCaptionContainer] { display: none; }
}
</style>"""


def doors() -> None:
    """Show a link to each of four pages, with what is there."""
    st.html(_STYLE)
    with st.container(key="doors"):
        for page, (label, icon, text) in _DOORS.items():
            with st.container(border=True, gap=None, height="stretch"):
                st.page_link(page, label=label, icon=icon)
                st.caption(text)

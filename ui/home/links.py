"""The Home page's four links to other pages."""

import streamlit as st

_LINKS = {
    "../pages/experiments.py": (
        "See it learn",
        ":material/science:",
        "Guess first, then watch networks learn side by side, in seconds.",
    ),
    "../pages/draw.py": (
        "Why does it misread my digits?",
        ":material/search:",
        "See which pixels speak for an answer, and which against it.",
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
# Two by two, even on a phone, where only the labels are shown, so that all four are in sight.
_STYLE = """<style>
.st-key-links { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
.st-key-links > * { width: 100%; height: 100%; }
.st-key-links [data-testid=stPageLink] a p {
  font-weight: 600; white-space: normal; line-height: 1.3;
}
.st-key-links [data-testid=stPageLink] a { padding-left: 0; }
.st-key-links [data-testid=stCaptionContainer] { margin-top: 0.25rem; }
@media (max-width: 640px) {
  .st-key-links { gap: 0.5rem; }
  .st-key-links [data-testid=stCaptionContainer] { display: none; }
}
</style>"""


def links() -> None:
    """Show a link to each of four pages, with a sentence about it."""
    st.html(_STYLE)
    with st.container(key="links"):
        for page, (label, icon, text) in _LINKS.items():
            with st.container(border=True, gap=None, height="stretch"):
                st.page_link(page, label=label, icon=icon)
                st.caption(text)

"""The button that exports a run: its files are made on request, and downloaded as one ZIP."""

import streamlit as st

from core.export.terms import why_not
from core.runs.run import Run
from ui import cache, format, guards


def button(run: Run) -> None:
    """Show the button; it is disabled and says why if the run cannot be exported now."""
    why = why_not(run)
    if st.button(
        "Export",
        key=f"export-{run.id}",
        icon=":material/ios_share:",
        disabled=bool(why),
        help=format.plain(why)
        or "Download the network: ONNX, weights, a program that reads pictures, a model card.",
    ):
        _dialog(run)


@st.dialog("Export this network", icon=":material/ios_share:")
def _dialog(run: Run) -> None:
    st.markdown(f"**{format.plain(run.name)}**, for use without Digit Lab.")
    with guards.messages():
        made, packed = cache.bundle(run)
    st.markdown("\n".join(f"- `{one.name}`: {one.about}" for one in made))
    st.download_button(
        f"Download ({len(packed) / 2**20:.1f} MB)",
        packed,
        f"{format.file_name(run.name)}.zip",
        "application/zip",
        key=f"zip-{run.id}",
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )
    st.caption(
        "The ONNX file was compared with this network's own answers. "
        "The run's name and settings are inside, but not who trained it."
    )

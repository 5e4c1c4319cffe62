"""Bring your own model: an uploaded network becomes a run, measured like the others."""

import streamlit as st

from core.errors import UserError
from core.export.terms import LEARNED, MAX_BYTES, PIXELS, SUFFIXES, TRY
from core.jobs import limits
from ui import cache, format, keys, people, runs, setting_names


def take_in() -> None:
    """Show the import form in an expander; not in a public demo."""
    me = people.me()
    if limits.is_demo() and not me.owns_all:
        return
    expander = st.expander(
        "Bring your own model",
        key=keys.TAKE_IN_OPEN,
        icon=":material/upload_file:",
        on_change="rerun",
    )
    if expander.open:
        with expander:
            _form()
            if keys.TAKEN_IN in st.session_state:
                _taken_in()


def _form() -> None:
    st.caption(
        "You can import an export of a run (ZIP), any classifier of 28 × 28 pixels as ONNX, or the "
        "weights of a network that has the same layers as one of ours: save them with "
        '`torch.save(model.state_dict(), "my.pt")`. No code in the file is run.'
    )
    generation = st.session_state.setdefault(keys.TAKE_IN, 0)
    with st.form(f"take-in-{generation}", border=False):
        file = st.file_uploader(
            "Network",
            list(SUFFIXES),
            key=f"{keys.TAKE_IN}-{generation}",
            max_upload_size=MAX_BYTES // 2**20,
            help="Names of layers do not matter: weights are matched by order and shape. An ONNX "
            "network can read digits, but its layers cannot be shown.",
        )
        name = st.text_input(
            "Name",
            key=f"take-in-name-{generation}",
            max_chars=80,
            placeholder="the file's name",
            help="The name of the new run.",
        )
        learned = st.selectbox(
            "If it is from another program: what did it learn from?",
            list(LEARNED),
            format_func=LEARNED.__getitem__,
            key=f"take-in-learned-{generation}",
            help="An accuracy is a fair test only on images that a network has not learned from.",
        )
        pixels = st.selectbox(
            "If it is from another program: how were its pixels prepared?",
            [TRY, *PIXELS],
            format_func=lambda one: "I do not know: try" if one == TRY else PIXELS[one][0],
            key=f"take-in-pixels-{generation}",
            help="If you do not know, each way is tried on 500 digits, and the best is taken.",
        )
        pressed = st.form_submit_button("Import", icon=":material/upload_file:")
    if not pressed:
        return
    st.session_state.pop(keys.TAKEN_IN, None)
    if file is None:
        st.error("Choose a file first.", icon=":material/error:")
        return
    cache.wait_for_torch()
    from core.export import imported

    try:
        with st.spinner("Reading and measuring it …"):
            run = imported.take_bytes(
                file.getvalue(), file.name, name, learned, people.me(), pixels
            )
    except UserError as error:
        st.error(format.message(error), icon=":material/error:")
        return
    st.session_state[keys.RUN] = st.session_state[keys.TAKEN_IN] = run.id
    st.session_state[keys.TAKE_IN] = generation + 1  # an empty form
    st.rerun()


def _taken_in() -> None:
    """Show the run that was imported last, with a link to evaluate it."""
    try:
        run = runs.get(st.session_state[keys.TAKEN_IN])
    except UserError:  # somebody deleted it
        return
    name = format.plain(run.name)
    about = format.plain(f"{setting_names.shown('network', run.network)}. {run.note}")
    st.success(f"**{name}** is now one of the runs: {about}", icon=":material/check_circle:")
    st.page_link("../pages/evaluate.py", label=f"Evaluate {name}", icon=":material/fact_check:")

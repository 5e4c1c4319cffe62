"""My digits: keep what was drawn with what it is, look through them, take them elsewhere."""

import hashlib

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import InkError
from core.my_digits import collection
from ui import cache, format, keys
from ui.components.gallery import gallery


def ask(image: NDArray[np.float32], answer: int) -> None:
    """Ask whether the answer to a (28, 28) digit is right; one click keeps it with its label."""
    mark = hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest()
    done = st.session_state.setdefault(keys.KEPT, {})
    name = done.get(mark)
    if name in collection.names():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Kept in My digits as a {collection.label_of(name)}.", width="content")
            if st.button("Take back", key="take-back", icon=":material/undo:"):
                collection.forget(name)
                st.rerun()
        return
    label = st.pills(
        "Was I right? Click what it is to keep it in My digits.",
        range(10),
        format_func=lambda digit: f"**{digit} ✓**" if digit == answer else str(digit),
        key=f"label-{mark}",
        wrap=True,
        help="Kept on this machine, beside the runs: for Evaluate, and to teach a run your hand.",
    )
    if label is not None:
        done[mark] = collection.keep(image, label)
        st.rerun()


def kept() -> None:
    """Show all that were kept, to delete some, and to download or upload them as one file.

    While they are folded, they are only counted.
    """
    title = f"My digits ({len(collection.names()):,})"
    folded = st.expander(title, key=keys.MY_DIGITS, icon=":material/bookmark:", on_change="rerun")
    if not folded.open:
        return
    digits = cache.my_digits()
    with folded:
        if digits.names:
            st.caption(
                "Evaluate shows how any run reads them, and can teach it. Click one to delete it."
            )
            chosen = gallery(
                digits.images, [str(label) for label in digits.labels], "my-digits", size=52
            )
        else:
            st.caption("None yet. Draw a digit and say what it is.")
            chosen = None
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(
                "Delete",
                key="my-digits-delete",
                icon=":material/delete:",
                disabled=chosen is None,
                help="Deletes the digit chosen above." if digits.names else "There is none.",
            ):
                collection.forget(digits.names[chosen or 0])
                st.rerun()
            st.download_button(
                "Download",
                collection.archive,
                "my-digits.zip",
                "application/zip",
                key="my-digits-download",
                icon=":material/download:",
                disabled=not digits.names,
                on_click="ignore",
                help="All of them as one file, to keep or to upload elsewhere.",
            )
        _upload()


def _upload() -> None:
    generation = st.session_state.setdefault(keys.MY_DIGITS_UPLOAD, 0)
    file = st.file_uploader(
        "Add digits from a file",
        ["zip"],
        key=f"{keys.MY_DIGITS_UPLOAD}-{generation}",
        help="A my-digits.zip that was downloaded here or on another machine.",
    )
    if file is None:
        return
    try:
        new = collection.restore(file.getvalue())
    except InkError as error:
        st.error(format.message(error), icon=":material/error:")
        return
    st.toast(f"{new:,} new digits.")
    st.session_state[keys.MY_DIGITS_UPLOAD] += (
        1  # an empty uploader, or each rerun would add them again
    )
    st.rerun()

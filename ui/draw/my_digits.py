"""My digits: save drawings with their labels, browse, delete, download and upload them."""

import hashlib

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import InkError
from core.jobs import limits
from core.my_digits import collection, hands
from core.runs.person import Person
from ui import cache, format, keys, people
from ui.components.gallery import gallery


def offer_to_save(image: NDArray[np.float32], answer: int) -> None:
    """Ask for the label of a (28, 28) digit; one click saves the digit with that label."""
    digest = hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest()
    saved = st.session_state.setdefault(keys.KEPT, {})
    name = saved.get(digest)
    me = people.me()
    if name in collection.names(me.digits):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Saved in My digits as a {collection.label_of(name)}.", width="content")
            if st.button("Undo", key="take-back", icon=":material/undo:"):
                collection.forget(name, me)
                st.rerun()
        return
    label = st.pills(
        "Is this right? Click the digit that you meant to save it in My digits.",
        range(10),
        format_func=lambda digit: f"**{digit} ✓**" if digit == answer else str(digit),
        key=f"label-{digest}",
        wrap=True,
        help="Saved on the machine that runs Digit Lab. The Evaluate page can test a run on My "
        "digits, and teach it."
        if me.shelf is None
        else "Kept until you close or reload this page, and never written to disk. The Evaluate "
        "page can test a run on My digits.",
    )
    if label is not None:
        saved[digest] = collection.keep(image, label, me)
        st.rerun()


def panel() -> None:
    """Show all of My digits, with buttons to delete, download and upload them.

    While the panel is collapsed, the digits are only counted.
    """
    me = people.me()
    title = f"My digits ({len(collection.names(me.digits)):,})"
    expander = st.expander(title, key=keys.MY_DIGITS, icon=":material/bookmark:", on_change="rerun")
    if not expander.open:
        return
    digits = cache.my_digits(me)
    with expander:
        if digits.names:
            does = (
                "Evaluate tests a run on them, and can teach it."
                if me.shelf is None
                else "They are gone when you close or reload this page: download them to keep them."
            )
            st.caption(f"{does} To delete a digit, click it first.")
            chosen = gallery(
                digits.images, [str(label) for label in digits.labels], "my-digits", size=52
            )
        else:
            st.caption("No digits yet. Draw one and click its label to save it.")
            chosen = None
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(
                "Delete",
                key="my-digits-delete",
                icon=":material/delete:",
                disabled=chosen is None,
                help="Delete the digit selected above."
                if digits.names
                else "There are no digits to delete.",
            ):
                collection.forget(digits.names[chosen or 0], me)
                st.rerun()
            st.download_button(
                "Download",
                lambda: collection.archive(me.digits),
                "my-digits.zip",
                "application/zip",
                key="my-digits-download",
                icon=":material/download:",
                disabled=not digits.names,
                on_click="ignore",
                help="Download all digits as one file, as a backup or for another machine.",
            )
        if me.tag and me.shelf is None:
            _withhold(me)
        _upload(me)


def _withhold(me: Person) -> None:
    withheld = hands.is_withheld(me.tag)
    chosen = st.toggle(
        "Keep them to myself",
        withheld,
        key="withhold",
        help="Others can evaluate networks on your digits, under your name, unless you keep them "
        "to yourself.",
    )
    if chosen != withheld:
        hands.withhold(me, chosen)


def _upload(me: Person) -> None:
    generation = st.session_state.setdefault(keys.MY_DIGITS_UPLOAD, 0)
    file = st.file_uploader(
        "Add digits from a file",
        ["zip"],
        key=f"{keys.MY_DIGITS_UPLOAD}-{generation}",
        max_upload_size=limits.largest_upload(),
        help="A my-digits.zip, downloaded here or on another machine.",
    )
    if file is None:
        return
    try:
        new = collection.restore(file.getvalue(), me)
    except InkError as error:
        st.error(format.message(error), icon=":material/error:")
        return
    st.toast(f"{new:,} new {'digit' if new == 1 else 'digits'}.")
    st.session_state[keys.MY_DIGITS_UPLOAD] += (
        1  # an empty uploader, or each rerun would add them again
    )
    st.rerun()

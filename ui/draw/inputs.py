"""The inputs of the Draw page: a drawing, an uploaded picture, or a test image."""

import random
import threading

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from core.data.digits import Digits
from core.figures import palette
from core.ink.normalization import Digit
from core.ink.photo import SUFFIXES, UNREADABLE, from_picture, upright
from core.ink.strokes import from_drawing
from core.jobs import limits
from ui import keys
from ui.components.canvas import canvas

_DECODING = threading.Semaphore(2)  # a large picture takes about 200 MB while it is read
_SHOWN = 560  # longer side of the picture shown, pixels
_FRAME = palette.ACCENT


def drawn() -> list[Digit]:
    """Show the canvas; return the digits drawn. Raises InkError."""
    drawing = canvas()
    return [] if drawing is None else from_drawing(drawing)


def uploaded() -> list[Digit]:
    """Show the upload; return the digits of the picture. Raises InkError."""
    file = st.file_uploader(
        "Picture of one digit, or of several in rows",
        [*SUFFIXES, *UNREADABLE],
        max_upload_size=limits.largest_upload(),
        help=f"Dark on light or light on dark, up to {limits.largest_upload() or 16} MB and 40 "
        "megapixels (12 unless it is a JPEG). The picture is not stored.",
    )
    if file is None:
        return []
    with _DECODING:
        found = from_picture(file.getvalue())
        framed = _framed(file.getvalue(), [digit.box for digit in found])
    st.image(framed, width=280)
    return found


def _framed(content: bytes, boxes: list[tuple[float, float, float, float]]) -> Image.Image:
    """Return the picture, reduced, with a frame around each digit found in it."""
    small = upright(content, _SHOWN)
    pencil = ImageDraw.Draw(small)
    for left, top, right, bottom in boxes:
        corners = left * small.width, top * small.height, right * small.width, bottom * small.height
        pencil.rectangle(corners, outline=_FRAME, width=2)
    return small


def from_test_set(digits: Digits) -> tuple[Digit, int]:
    """Show the button for another test image; return the current one and its label."""
    total = len(digits.test_labels)
    if st.session_state.get(keys.RANDOM_DIGIT, total) >= total:
        st.session_state[keys.RANDOM_DIGIT] = random.randrange(total)  # noqa: S311  # not for secrets
    if st.button(
        "Another digit",
        icon=":material/shuffle:",
        help="Choose another image of the test set at random.",
    ):
        st.session_state[keys.RANDOM_DIGIT] = random.randrange(total)  # noqa: S311
    index = st.session_state[keys.RANDOM_DIGIT]
    st.caption(f"Test digit {index:,}")
    image = digits.test_images[index].astype(np.float32) / 255
    return Digit(image, (0, 0, 1, 1)), int(digits.test_labels[index])


def choose_digit(count: int, label: str, key: str, explanation: str | None = None) -> int:
    """Show the choice among `count` digits; return the index of the chosen one."""
    place = st.segmented_control(
        label,
        range(count),
        format_func=lambda place: f"{place + 1}",
        default=0,
        required=True,
        key=f"{key}-of-{count}",
        help=explanation,
    )
    return int(place)

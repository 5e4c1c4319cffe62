"""The ways a digit gets in: drawn, uploaded, or taken from the test set."""

import random

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from core.data.digits import Digits
from core.figures import palette
from core.ink.normalisation import Digit
from core.ink.photo import SUFFIXES, UNREADABLE, from_picture, upright
from core.ink.strokes import from_drawing
from ui import keys
from ui.components.canvas import canvas

_SHOWN = 560  # longer side of a picture shown, pixels
_FRAME = palette.ACCENT


def drawn() -> list[Digit]:
    """Let a person draw; return the digits as the model sees them. Raises InkError."""
    drawing = canvas()
    return [] if drawing is None else from_drawing(drawing)


def uploaded() -> list[Digit]:
    """Let a person upload a picture; return the digits in it. Raises InkError."""
    file = st.file_uploader(
        "Picture of one digit, or of several in rows",
        [*SUFFIXES, *UNREADABLE],
        help="Dark on light or light on dark, up to 16 MB and 40 megapixels, 12 unless it is a "
        "JPEG. It stays in this server's memory and is not kept.",
    )
    if file is None:
        return []
    found = from_picture(file.getvalue())
    st.image(_framed(file.getvalue(), [digit.box for digit in found]), width=280)
    return found


def _framed(content: bytes, boxes: list[tuple[float, float, float, float]]) -> Image.Image:
    """Return the picture, small, with a frame around each digit found in it."""
    small = upright(content, _SHOWN)
    pencil = ImageDraw.Draw(small)
    for left, top, right, bottom in boxes:
        corners = left * small.width, top * small.height, right * small.width, bottom * small.height
        pencil.rectangle(corners, outline=_FRAME, width=2)
    return small


def from_test_set(digits: Digits) -> tuple[Digit, int]:
    """Show how to get another test digit; return this one and what it is."""
    total = len(digits.test_labels)
    if st.session_state.get(keys.RANDOM_DIGIT, total) >= total:
        st.session_state[keys.RANDOM_DIGIT] = random.randrange(total)  # noqa: S311  # nothing secret
    if st.button(
        "Another digit",
        icon=":material/shuffle:",
        help="Take another of the test set's digits, which no run has learned from.",
    ):
        st.session_state[keys.RANDOM_DIGIT] = random.randrange(total)  # noqa: S311
    index = st.session_state[keys.RANDOM_DIGIT]
    st.caption(f"Test digit {index:,}")
    image = digits.test_images[index].astype(np.float32) / 255
    return Digit(image, (0, 0, 1, 1)), int(digits.test_labels[index])

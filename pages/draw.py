import streamlit as st

from core.errors import InkError
from core.ink.normalization import Digit
from ui import cache, format, guards, people
from ui.draw import inputs, my_digits, own_hand, readings
from ui.explanation import why

EMPTY = {
    "Draw": "The canvas is empty. Draw a digit.",
    "Upload": "No picture yet. Upload a picture of a digit.",
}

st.title("Draw")
run = guards.choose_run()
cache.wait_for_torch()
digits, _ = cache.digits_in_use()

left, right = st.columns([2, 3], gap="large")
found: list[Digit] = []
truth, problem = None, ""
me = people.me()
with left:
    mode = st.segmented_control(
        "Where the digit comes from",
        ["Draw", "Upload", "Random"],
        default="Draw",
        required=True,
        key="draw-mode",
        label_visibility="collapsed",
        help="Draw a digit, upload a picture, or take a random test image.",
    )
    try:
        if mode == "Draw":
            found = inputs.drawn()
        elif mode == "Upload":
            found = inputs.uploaded()
        else:
            digit, truth = inputs.from_test_set(digits)
            found = [digit]
    except InkError as error:
        problem = format.message(error)

with right:
    if found:
        drawn = mode == "Draw"
        hand = me if truth is None else None
        shown, probabilities = readings.readings(run, found, truth=truth, hand=hand, drawn=drawn)
        if truth is None:
            my_digits.offer_to_save(shown, int(probabilities.argmax()))
        why(run, shown, probabilities, truth, hand)
    elif mode == "Draw":
        readings.none_yet(run, me, problem or EMPTY[mode])
    else:
        st.info(problem or EMPTY[mode], icon=":material/draw:")
    if mode != "Random":
        own_hand.offer(run)
my_digits.panel()

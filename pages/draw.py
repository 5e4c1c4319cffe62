import streamlit as st

from core import figures
from core.errors import InkError
from ui import guards, inputs, shared, words
from ui.chart import chart
from ui.tiles import tile

EMPTY = {"Draw": "The canvas is empty. Draw a digit.", "Upload": "No picture yet. Upload one."}

st.title("Draw")
run = guards.choose_run()
shared.wait_for_torch()
digits, _ = shared.digits_in_use()

left, right = st.columns([1, 2], gap="large")
digit, truth, problem = None, None, ""
with left:
    mode = st.segmented_control(
        "Where the digit comes from",
        ["Draw", "Upload", "Random"],
        default="Draw",
        required=True,
        key="draw-mode",
        help="Your hand, a picture file, or the test set.",
    )
    try:
        if mode == "Draw":
            digit = inputs.drawn()
        elif mode == "Upload":
            digit = inputs.uploaded()
        else:
            digit, truth = inputs.from_test_set(digits)
    except InkError as error:
        problem = str(error)

with right:
    if digit is None:
        st.info(problem or EMPTY[mode], icon=":material/draw:")
    else:
        probabilities = shared.reader(run.id, run.best_epoch).read(digit[None])[0]
        answer = int(probabilities.argmax())
        verdict = "" if truth is None else " Right." if answer == truth else f" It is a {truth}."
        st.markdown(
            f"### This looks like a {answer} ({words.share(probabilities[answer])}).{verdict}"
        )
        seen, bars = st.columns([1, 2])
        with seen:
            tile(digit, width=196, caption="What the model sees")
            st.caption("What the model sees, 28 × 28")
        with bars:
            chart(figures.probability_bars(probabilities, truth), "draw-bars", height=280)

import streamlit as st

from ui import cache
from ui.sweeps import progress, start

st.title("Sweeps")
st.caption("Search for better settings with many short trainings, compared on validation images.")
cache.wait_for_torch()
digits, _ = cache.digits_in_use()
left, right = st.columns([2, 5], gap="large")
with right:
    if chosen := progress.choose():
        progress.progress(chosen)
    else:
        st.info(
            "There is no sweep yet. Choose what should vary, and start one.", icon=":material/tune:"
        )
with left:
    st.subheader("A new sweep", anchor=False)
    start.start(digits)

import streamlit as st

from ui import cache, guards
from ui.inside import source
from ui.inside.look import look

st.title("Inside")
run = guards.choose_run()
guards.need_layers(run)
cache.wait_for_torch()
digits, _ = cache.digits_in_use()
left, right = st.columns([1, 2], gap="large")
with left:
    chosen = source.choose(digits)
with right:
    if chosen is None:
        st.info("Draw or upload a digit, and see what every layer makes of it.")
    else:
        look(run, chosen)

import streamlit as st

from ui import people
from ui.classroom import overview

st.title("Class")
how, now = st.columns(2, gap="large")
with how:
    overview.join()
with now:
    if people.me().owns_all:
        overview.class_now()
    else:
        st.info(
            "Here the teacher sees who is there and which runs train, and can stop any run. To see "
            "this, type the admin secret, which the server printed when it started."
        )
        people.ask_for_secret("page")

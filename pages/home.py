import streamlit as st

from ui.components.canvas import canvas
from ui.home.answer import answer
from ui.home.links import links

st.title("Draw a digit")
st.markdown(
    "A neural network reads it. Find out how such networks learn, and why they make mistakes."
)
left, right = st.columns([1, 2], gap="medium")
with left:
    drawing = canvas(pen=False)
with right:
    answer(drawing)
    links()

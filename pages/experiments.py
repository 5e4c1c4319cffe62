import streamlit as st

from core.experiments import definition
from ui.experiments import lesson, overview

experiments, problems = definition.library()
slug = st.query_params.get("experiment")
chosen = next((one for one in experiments if one.slug == slug), None)
if chosen is not None:
    lesson.lesson(chosen, experiments)
else:
    overview.cards(experiments)
    overview.problems(problems)

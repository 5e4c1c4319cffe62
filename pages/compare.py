import streamlit as st

from core.figures.palette import CLASS_COLOURS
from core.runs import builtin, catalogue
from ui import format, guards, keys
from ui.compare import comparison, editor, table

st.title("Compare")
st.caption(format.plain(table.store_description()))
found = catalogue.listed_with_builtin()
if found == [builtin.run()]:
    st.info("You have no runs yet. Training one takes seconds.", icon=":material/model_training:")
    st.page_link("../pages/train.py", label="Train a network", icon=":material/arrow_forward:")
active = catalogue.in_progress()
table.table(table.controls(found), live=bool(active))
guards.follow(active)
if not catalogue.known()[1]:
    table.older_runs()

by_id = {run.id: run for run in found}
chosen = [by_id[run_id] for run_id in st.session_state.get(keys.COMPARED, []) if run_id in by_id]
if len(chosen) < 2:
    st.caption(
        "Tick the boxes of two or more runs to compare them, or of one run to open or edit it."
    )
for number, run in enumerate(chosen):
    editor.show_run(run, CLASS_COLOURS[number % 10])
if len(chosen) >= 2:
    comparison.curves(chosen)
    if len(chosen) == 2:
        comparison.verdict(*chosen)
    comparison.differences(chosen)
    comparison.costs(chosen)
    comparison.ensemble(chosen)

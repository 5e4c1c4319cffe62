import streamlit as st

from core import builtin, runs
from core.palette import CLASS_COLOURS
from ui import comparison, run_editor, run_table, state

st.title("Compare")
st.caption(run_table.whose())
found = runs.listed_with_builtin()
if found == [builtin.run()]:
    st.info(
        "No run of your own yet. It takes seconds to make one.", icon=":material/model_training:"
    )
    st.page_link("pages/train.py", label="Train one", icon=":material/arrow_forward:")
run_table.table(run_table.controls(found))

by_id = {run.id: run for run in found}
chosen = [by_id[run_id] for run_id in st.session_state.get(state.COMPARED, []) if run_id in by_id]
if len(chosen) < 2:
    st.caption("Tick two or more runs at their left to compare them, one to open or edit it.")
for number, run in enumerate(chosen):
    run_editor.line(run, CLASS_COLOURS[number % 10])
if len(chosen) >= 2:
    comparison.curves(chosen)
    if len(chosen) == 2:
        comparison.verdict(*chosen)
    comparison.differences(chosen)
    comparison.costs(chosen)
    comparison.ensemble(chosen)

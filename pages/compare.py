from itertools import cycle

import streamlit as st

from core.figures.palette import CLASS_COLORS
from core.runs import builtin, settings
from ui import format, guards, keys, runs
from ui.compare import comparison, editor, table, take_in, verdict, view

st.title("Compare")
st.caption(format.plain(table.store_description()))
found = runs.listed_with_builtin()
if found == [builtin.run()]:
    st.info("You have no runs yet. Training one takes seconds.", icon=":material/model_training:")
    st.page_link("../pages/train.py", label="Train a network", icon=":material/arrow_forward:")
view.read(found)
active = runs.in_progress()
table.table(table.controls(found), live=bool(active))
guards.follow(active)
if not runs.known()[1]:
    table.older_runs()

by_id = {run.id: run for run in found}
chosen = [by_id[run_id] for run_id in st.session_state.get(keys.COMPARED, []) if run_id in by_id]
groups = table.together(chosen)
if len(chosen) < 2:
    st.caption("Tick two or more rows to compare them, or one row to open or edit its runs.")
if len(chosen) >= 2:
    comparison.curves(groups)
for label, group, color in zip(settings.labels(groups), groups, cycle(CLASS_COLORS), strict=False):
    editor.show_setting(label, group, color)
if len(groups) >= 2:
    verdict.settings_verdict(groups)
if len(chosen) == 2:
    verdict.verdict(*chosen)
    verdict.gallery_of_disagreements(*chosen)
if len(chosen) >= 2:
    comparison.differences(groups)
    comparison.costs(groups)
    comparison.ensemble(chosen)
    comparison.report(groups)
take_in.take_in()
view.write()

from dataclasses import replace

import streamlit as st

from core.evaluation import metrics
from core.my_digits import collection, hands
from ui import export, guards, keys
from ui.evaluate import (
    class_digits,
    confidence,
    epoch,
    finetune,
    images,
    matrix,
    mistakes,
    numbers,
    slices,
)

st.title("Evaluate")

top = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
with top.container(width=250):
    run = guards.choose_run(st.session_state.get(keys.WATCHED))
epoch.show(run)
chosen = images.choose(run, top)
result = chosen.answers_of(run)
report = metrics.report(result.probabilities, result.labels)
numbers.overall(report, top)

if chosen.split == hands.SPLIT:
    class_digits.worst_first(run, chosen.drawn_by)
left, right = st.columns(2, gap="medium")
with left:
    cell = matrix.show(run, chosen.title, report)
with right:
    calibrated = replace(result, probabilities=run.calibration.apply(result.probabilities))
    mistakes.mistakes(run, chosen.title, calibrated, cell)

classes, pairs = st.columns(2, gap="medium")
with classes:
    numbers.per_class(report)
with pairs:
    numbers.confused_pairs(report)
slices.where_weak(run, result, chosen.answers_of)
confidence.confidence(run, result)
if chosen.split == collection.SPLIT:
    finetune.offer(run, result)
with st.container(horizontal=True):
    mistakes.downloads(run, chosen.title, result, report)
    export.button(run)

from dataclasses import replace

import streamlit as st

from core.evaluation import metrics
from core.figures.digits import confusion_map
from core.my_digits import collection, hands
from core.runs import answers
from core.runs.answers import Result
from core.runs.run import Run
from ui import cache, export, format, guards, keys, people
from ui.components.chart import chart
from ui.evaluate import class_digits, confidence, epoch, finetune, mistakes, slices

st.title("Evaluate")

top = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
with top.container(width=250):
    run = guards.choose_run(st.session_state.get(keys.WATCHED))
epoch.told(run)
splits = [*answers.splits(run, cache.digits_for(run)), *class_digits.splits()]
with top:
    split = st.segmented_control(
        "Images",
        splits,
        default=splits[0],
        key=keys.SPLIT,
        persist_state="session",
        required=True,
        width="content",
        help="Test: images that take no part in training, read once at its end. Known: test images "
        "that the network may have learned from. Validation: images that selected the best epoch, "
        "so the accuracy is a little too high. My digits: those you saved on the Draw page. Class "
        "digits: those that everybody saved.",
    )
if split == answers.KNOWN:
    st.caption(format.plain(answers.why_no_test(run)))
if not (run.folder / f"{split}.npy").exists():
    cache.wait_for_torch()
drawn_by = [hands.own(people.me())] if split == collection.SPLIT else []
title = split
if split == hands.SPLIT:
    with top.container(width=180):
        drawn_by = class_digits.choose()
    if len(drawn_by) == 1:
        title = f"digits of {drawn_by[0].name}"


def answers_of(other: Run) -> Result:
    """Return a run's answers on the images chosen."""
    if drawn_by:
        return cache.drawn(other, drawn_by)[0]
    known = split != "validation" and answers.may_have_seen(other, cache.digits_for(run))
    return cache.result(other, answers.KNOWN if known else split.replace(answers.KNOWN, "test"))


result = answers_of(run)
report = metrics.report(result.probabilities, result.labels)
numbers = top.container(horizontal=True, gap="small", width="content")
numbers.metric(
    "Accuracy",
    format.percent(report.accuracy),
    format.interval(*report.interval),
    delta_color="off",
    delta_arrow="off",
    help=f"Share of the {report.count:,} images read correctly. In grey, its 95 % Wilson interval: "
    "the range in which the accuracy on many more such images probably lies.",
    width="content",
)
numbers.metric(
    "Loss",
    f"{report.loss:.4f}",
    "nats",
    delta_color="off",
    delta_arrow="off",
    help="Mean cross-entropy: high if the true digits get low probabilities. Lower is better.",
    width="content",
)
numbers.metric(
    "Macro F1",
    format.percent(report.macro_f1),
    "mean over the digits",
    delta_color="off",
    delta_arrow="off",
    help="The mean F1 of the digits that occur, each with the same weight.",
    width="content",
)

if split == hands.SPLIT:
    class_digits.worst_first(run, drawn_by)
left, right = st.columns(2, gap="medium")
with left:
    controls = st.container(horizontal=True)
    normalised = controls.toggle(
        "Percentages",
        key=keys.NORMALISED,
        persist_state="session",
        help="Show each row in percent instead of counts.",
    )
    hidden = controls.toggle(
        "Hide the diagonal",
        key=keys.HIDE_DIAGONAL,
        persist_state="session",
        help="Leave out the right answers, so that the mistakes stand out.",
    )
    cell = chart(
        confusion_map(report.matrix, normalised, hidden),
        mistakes.matrix_key(run, title),
        height=540,
        on_click=mistakes.show_cell,
        caption="Click a cell to see its images. Colours are on a logarithmic scale.",
    )
with right:
    calibrated = replace(result, probabilities=run.calibration.apply(result.probabilities))
    mistakes.mistakes(run, title, calibrated, cell)

classes, pairs = st.columns(2, gap="medium")
with classes:
    mistakes.per_class(report)
with pairs:
    mistakes.confused_pairs(report)
slices.where_weak(run, result, answers_of)
confidence.confidence(run, result)
if split == collection.SPLIT:
    finetune.offer(run, result)
with st.container(horizontal=True):
    mistakes.downloads(run, title, result, report)
    export.button(run)

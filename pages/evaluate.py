from dataclasses import replace

import streamlit as st

from core.evaluation import metrics
from core.figures.digits import confusion_map
from core.my_digits import collection
from core.runs import answers
from ui import cache, format, guards, keys
from ui.components.chart import chart
from ui.evaluate import confidence, finetune, mistakes

st.title("Evaluate")

top = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
with top.container(width=250):
    run = guards.choose_run(st.session_state.get(keys.WATCHED))
splits = [*answers.splits(run, cache.digits_for(run))]
if collection.names():
    splits.append(collection.SPLIT)
with top:
    split = st.segmented_control(
        "Images",
        splits,
        default=splits[0],
        key=keys.SPLIT,
        persist_state="session",
        required=True,
        width="content",
        help="Test images take no part in training and are read once, when a run is over for good. "
        "Known images are test images from which the network may have learned. Validation images "
        "chose the best epoch, so they flatter it a little. My digits are those you kept on Draw.",
    )
if split == answers.KNOWN:
    st.caption(format.plain(answers.why_no_test(run)))
if not (run.folder / f"{split}.npy").exists():
    cache.wait_for_torch()
result = cache.result(run, split)
report = metrics.report(result.probabilities, result.labels)
numbers = top.container(horizontal=True, gap="small", width="content")
numbers.metric(
    "Accuracy",
    format.percent(report.accuracy),
    format.interval(*report.interval),
    delta_color="off",
    delta_arrow="off",
    help=f"Share of the {report.count:,} images read right. In grey, its 95 % Wilson interval: "
    "where the accuracy on endlessly many such images would plausibly be.",
    width="content",
)
numbers.metric(
    "Loss",
    f"{report.loss:.4f}",
    "nats",
    delta_color="off",
    delta_arrow="off",
    help="Mean cross-entropy: how little probability the truth got. Lower is better.",
    width="content",
)
numbers.metric(
    "Macro F1",
    format.percent(report.macro_f1),
    "all ten alike",
    delta_color="off",
    delta_arrow="off",
    help="The mean of the ten digits' F1, each of the same weight.",
    width="content",
)

left, right = st.columns(2, gap="medium")
with left:
    controls = st.container(horizontal=True)
    normalised = controls.toggle(
        "Share of each truth",
        key=keys.NORMALISED,
        persist_state="session",
        help="Percentages of each row instead of counts.",
    )
    hidden = controls.toggle(
        "Hide the diagonal",
        key=keys.HIDE_DIAGONAL,
        persist_state="session",
        help="Leaves out the right answers, so that the colours spread over the mistakes.",
    )
    cell = chart(
        confusion_map(report.matrix, normalised, hidden),
        mistakes.matrix_key(run, split),
        height=540,
        on_click=mistakes.show_cell,
        caption="Click a cell to see its images. The colour follows the logarithm of the number.",
    )
with right:
    calibrated = replace(result, probabilities=run.calibration.apply(result.probabilities))
    mistakes.mistakes(run, split, calibrated, cell)

classes, pairs = st.columns(2, gap="medium")
with classes:
    mistakes.per_class(report)
with pairs:
    mistakes.confused_pairs(report)
confidence.confidence(run, result)
if split == collection.SPLIT:
    finetune.offer(run, result)
mistakes.downloads(run, split, result, report)

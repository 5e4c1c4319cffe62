"""Whether a run's confidence means what it says."""

import streamlit as st

from core.evaluation import calibration
from core.evaluation.calibration import Calibration
from core.figures.digits import reliability
from core.runs.answers import Result, may_have_seen
from core.runs.run import Run
from ui import cache, format
from ui.components.chart import chart


def confidence(run: Run, result: Result) -> None:
    """Show the reliability diagram before and after calibration, and where sure begins."""
    st.subheader("Is it as sure as it should be?")
    calibrated = run.calibration.apply(result.probabilities)
    tables = [
        calibration.reliability(answers, result.labels)
        for answers in (result.probabilities, calibrated)
    ]
    before, after = (
        calibration.expected_error(answers, result.labels)
        for answers in (result.probabilities, calibrated)
    )
    diagram, text = st.columns([3, 2], gap="medium")
    with diagram:
        chart(reliability(*tables), f"reliability-{run.id}", height=360)
    with text:
        st.markdown(_explanation(run, before, after))
        fitted = _fitted(run)
        sure = fitted.are_sure(calibrated)
        if fitted.sure_from is not None and sure.any():
            wrong = (calibrated.argmax(axis=1) != result.labels)[sure].mean()
            st.markdown(
                f"It is **sure of {format.percent(sure.mean())}** of these images, and wrong on "
                f"**{format.percent(wrong)}** of those. It is sure from a confidence of "
                f"{format.percent(fitted.sure_from)}: from there, at most "
                f"{format.percent(calibration.SURE_MISTAKES)} of the validation images are misread."
            )
        else:
            st.markdown(
                "It is not sure of any image: the validation images are too few, or too often "
                "misread, to show from which confidence it would be right."
            )
        st.caption(
            "Temperature and threshold are fitted on the validation images alone. They change how "
            "sure the network is, never what it answers. Draw reads each digit five times, slanted "
            "and in other thicknesses, and has a threshold fitted on such readings."
        )


def _fitted(run: Run) -> Calibration:
    """Return the calibration of single answers, which are what this page shows."""
    if may_have_seen(run, cache.digits_for(run)):
        return run.calibration
    validation = cache.result(run, "validation")
    return calibration.fit(validation.probabilities, validation.labels)


def _explanation(run: Run, before: float, after: float) -> str:
    temperature = run.calibration.temperature
    if temperature == 1:
        return "Not calibrated yet: that is done when the run is over."
    habit = "too sure" if temperature > 1 else "too modest"
    return (
        f"The network is {habit}: its expected calibration error is **{format.percent(before)}**, "
        f"and **{format.percent(after)}** at a temperature of {temperature:.2f}."
    )

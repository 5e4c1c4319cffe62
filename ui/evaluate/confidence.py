"""Whether a run's confidence means what it says."""

import streamlit as st

from core.evaluation import calibration
from core.figures.digits import reliability
from core.runs.answers import Result
from core.runs.run import Run
from ui import format
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
        sure = calibrated.max(axis=1) >= run.calibration.sure_from
        if sure.any():
            wrong = (calibrated.argmax(axis=1) != result.labels)[sure].mean()
            st.markdown(
                f"It is **sure of {format.percent(sure.mean())}** of these images, and wrong on "
                f"**{format.percent(wrong)}** of those. Where its confidence is under "
                f"{format.percent(run.calibration.sure_from)}, Draw says so and names candidates."
            )
        else:
            st.markdown(
                "It is sure of none of these images: on validation, its surest answers were not "
                "right often enough to say from where on it may be."
            )
        st.caption(
            "Temperature and threshold are fitted on the validation images alone. They change how "
            "sure the network is, never what it answers."
        )


def _explanation(run: Run, before: float, after: float) -> str:
    temperature = run.calibration.temperature
    if temperature == 1:
        return "Not calibrated yet: that is done when the run is over."
    habit = "too sure" if temperature > 1 else "too modest"
    return (
        f"The network is {habit}: its expected calibration error is **{format.percent(before)}**, "
        f"and **{format.percent(after)}** at a temperature of {temperature:.2f}."
    )

"""Show how well a run's confidence matches its accuracy."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.evaluation import calibration
from core.figures.digits import reliability
from core.runs.answers import Result, may_have_seen
from core.runs.run import Run
from ui import cache, format
from ui.components.chart import chart

if TYPE_CHECKING:
    import plotly.graph_objects as go

_BY_ANSWERS: dict[str | type[Any], Callable[[Any], Any]] = {
    Result: lambda result: result.probabilities.tobytes() + result.labels.tobytes()
}


def confidence(run: Run, result: Result) -> None:
    """Show the reliability diagram before and after calibration, and when an answer is sure."""
    st.header("Can its confidence be trusted?")
    calibrated = run.calibration.apply(result.probabilities)
    figure, before, after = _diagram(result, calibrated)
    diagram, text = st.columns([3, 2], gap="medium")
    with diagram:
        chart(figure, f"reliability-{run.id}", height=360)
    with text:
        st.markdown(_explanation(run, before, after))
        if may_have_seen(run, cache.digits_for(run)):
            st.markdown(
                "The confidence from which its answers are reliable is unknown: to find it, we "
                "would need validation images that it never learned from."
            )
        else:
            st.markdown(_sure(cache.result(run, "validation"), result, calibrated))
        st.caption(
            "The temperature and the threshold are fitted on the validation images. They change "
            "the confidence, never the answer. The Draw page reads each digit five times (also "
            "slanted, thicker and thinner), and has its own threshold."
        )


@st.cache_resource(max_entries=20, show_spinner=False, hash_funcs=_BY_ANSWERS)
def _diagram(result: Result, calibrated: NDArray[np.float32]) -> tuple["go.Figure", float, float]:
    """Return the diagram, and the calibration error before and after calibration."""
    tables = [
        calibration.reliability(answers, result.labels)
        for answers in (result.probabilities, calibrated)
    ]
    before, after = map(calibration.mean_gap, tables)
    return reliability(*tables), before, after


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs=_BY_ANSWERS)
def _fitted(validation: Result) -> calibration.Calibration:
    return calibration.fit(validation.probabilities, validation.labels)


def _sure(validation: Result, result: Result, calibrated: NDArray[np.float32]) -> str:
    """Say how often single answers count as sure, and how often these are wrong."""
    fitted = _fitted(validation)
    sure = fitted.are_sure(calibrated)
    if fitted.sure_from is None or not sure.any():
        return (
            "It is not sure of any image: there are too few validation images, or too many "
            "mistakes on them, to find a confidence from which its answers are reliable."
        )
    wrong = (calibrated.argmax(axis=1) != result.labels)[sure].mean()
    return (
        f"It is **sure of {format.percent(sure.mean())}** of these images, and wrong about "
        f"**{format.percent(wrong)}** of those. An answer counts as sure if its confidence is at "
        f"least {format.percent(fitted.sure_from)}: of such answers on the validation images, at "
        f"most {format.percent(calibration.SURE_MISTAKES)} are wrong."
    )


def _explanation(run: Run, before: float, after: float) -> str:
    temperature = run.calibration.temperature
    if temperature == 1 and not run.has_settings:
        return (
            "Not calibrated: calibration needs images that a network has not learned from, and for "
            "a network from elsewhere, nobody knows which those are."
        )
    if temperature == 1:
        return "Not calibrated yet. A run is calibrated when it ends."
    habit = "overconfident" if temperature > 1 else "underconfident"
    return (
        f"The network is {habit}: its expected calibration error is **{format.percent(before)}**. "
        f"Calibrated with a temperature of {temperature:.2f}, it is **{format.percent(after)}**."
    )

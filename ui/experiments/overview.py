"""All experiments as cards, with a mark for those done."""

from collections.abc import Iterable

import streamlit as st

from core.experiments.definition import Experiment
from ui import format, keys

_COLUMNS = 4


def cards(experiments: list[Experiment]) -> None:
    """Show a card for each experiment; its button opens it."""
    st.title("Experiments")
    st.markdown(
        "Guess first, then press one button and see who is right: networks train before your eyes, "
        "in seconds. Do them in order, or pick one."
    )
    done = st.session_state.get(keys.EXPERIMENTS_DONE, [])
    for start in range(0, len(experiments), _COLUMNS):
        places = st.columns(_COLUMNS, gap="small")
        for number, (place, experiment) in enumerate(
            zip(places, experiments[start : start + _COLUMNS], strict=False), start + 1
        ):
            with place.container(
                border=True, height="stretch", vertical_alignment="distribute"
            ):  # the buttons of a row are aligned
                with st.container():
                    st.markdown(f"## {number} · {experiment.title}")
                    st.markdown(experiment.question)
                line = st.container(horizontal=True, vertical_alignment="center")
                line.button(
                    "Open",
                    key=f"open-{experiment.slug}",
                    icon=":material/science:",
                    on_click=choose,
                    args=[experiment.slug],
                    help=f"Experiment {number}: {experiment.title}.",
                )
                if experiment.slug in done:
                    line.markdown(":green[:material/check_circle: done]")


def choose(slug: str | None) -> None:
    """Open an experiment, or go back to all of them; the address says which is open."""
    if slug is None:
        st.query_params.pop("experiment", None)
    else:
        st.query_params["experiment"] = slug


def problems(sentences: Iterable[str]) -> None:
    """Show the mistakes in experiments' files."""
    for sentence in sentences:
        st.warning(format.message(sentence), icon=":material/edit_document:")

"""A run's progress, kept up to date without redrawing the page.

The component's script asks the door (`api/runs/{id}/live`) for new points as often as the door
says, updates its bar, and passes them to the charts of the same run. It notifies Python only when
there is something to draw: the end of an epoch, another state, or a door that began or stopped
answering.
"""

from pathlib import Path

import streamlit as st

from core.runs.run import Run
from ui import keys

_HERE = Path(__file__).parent
_KEY = "live-progress"

_progress = st.components.v2.component(
    "digitlab_progress",
    html="""
    <div class="digitlab-progress">
      <p><span class="done"></span><span class="speed"></span></p>
      <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"><div></div></div>
    </div>
    """,
    css=(_HERE / "progress.css").read_text(),
    js=(_HERE / "progress.js").read_text(),
)


def progress(run: Run, after: int, speed: float | None, waits: str = "") -> None:
    """Show the progress of an unfinished run; its fragment reruns when there is something to draw.

    `after` is the last step whose points the page's charts have; `speed` is in images per second;
    `waits` is shown until the first step.
    """
    _progress(
        key=_KEY,
        data={
            "run": run.id,
            "state": str(run.state),
            "step": run.step,
            "steps": run.steps,
            "epoch": run.current_epoch,
            "epochs": run.config.epochs,
            "completed": run.epochs,
            "images_per_second": speed,
            "seconds_left": run.seconds_left(speed),
            "after": after,
            "waits": waits,
            "door": door_answers(),
        },
        on_news_change=_hear,
    )


def door_answers() -> bool:
    """Return whether this session's browser gets answers from the door."""
    return bool(st.session_state.get(keys.DOOR))


def _hear() -> None:
    news = (st.session_state.get(_KEY) or {}).get("news")
    if news:
        st.session_state[keys.DOOR] = news["door"]

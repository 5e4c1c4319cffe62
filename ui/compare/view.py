"""The Compare page's view, kept in its address so that it can be sent to a colleague."""

import streamlit as st

from core.figures.curves import RUN_METRICS
from core.runs.run import Run
from ui import keys

_LONGEST = 200  # characters of a filter in an address, at most
_MOST = 50  # runs in an address, at most


def read(found: list[Run]) -> None:
    """Read the view from the address, but only once in a session, so that changes are kept."""
    if keys.VIEW_READ in st.session_state:
        return
    st.session_state[keys.VIEW_READ] = True
    asked, ids = st.query_params, [run.id for run in found]
    chosen = [
        run_id
        for start in asked.get("runs", "").split(",")[:_MOST]
        for run_id in ids
        if len(start) >= 8 and run_id.startswith(start)
    ]
    if chosen:
        st.session_state[keys.COMPARED] = chosen
    if text := asked.get("filter", "")[:_LONGEST]:
        st.session_state[keys.RUN_FILTER] = text
    if asked.get("curve") in RUN_METRICS:
        st.session_state[keys.CURVES] = asked["curve"]
    if asked.get("baseline"):
        st.session_state[keys.BASELINE] = asked["baseline"]
    for name, key, value in (
        ("by", keys.BY_SECONDS, "seconds"),
        ("rows", keys.APART, "runs"),
        ("archived", keys.ARCHIVED, "too"),
    ):
        if asked.get(name) == value:
            st.session_state[key] = True


def write() -> None:
    """Write the view into the address, without values that are the defaults."""
    state = st.session_state
    view = {
        "runs": ",".join(run_id[:12] for run_id in state.get(keys.COMPARED, [])[:_MOST]),
        "filter": state.get(keys.RUN_FILTER) or "",
        "rows": "runs" if state.get(keys.APART) else "",
        "archived": "too" if state.get(keys.ARCHIVED) else "",
        "curve": state.get(keys.CURVES, ""),
        "by": "seconds" if state.get(keys.BY_SECONDS) else "",
        "baseline": state.get(keys.BASELINE) or "",
    }
    if view["curve"] == next(iter(RUN_METRICS)):
        view["curve"] = ""
    wanted = {name: value for name, value in view.items() if value}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)

"""Two runs that differ in one setting: started together, and shown on shared axes."""

import streamlit as st

from core.config import TrainConfig, config_fields, has_effect
from core.errors import RunError
from core.jobs import limits, request
from core.runs.run import Run
from ui import format, keys, people, runs, setting_names
from ui.train import settings


def run_both(config: TrainConfig, data: str, recipe: str) -> None:
    """Offer to train these settings twice, the second time with another value for one of them."""
    key = f"pair-{'-'.join(st.session_state.get(keys.PAIR, ()))}"  # a new pair closes it
    with st.popover("Run both …", key=key, icon=":material/balance:", width="stretch"):
        st.markdown("Train these settings, and the same with one that differs.")
        values = config.to_dict()
        names = [name for name in config_fields() if has_effect(name, values) and name != "device"]
        name = st.selectbox(
            "What differs",
            names,
            index=names.index("learning_rate"),
            format_func=setting_names.LABELS.__getitem__,
            key="pair-setting",
            help="All other settings are the same in both runs.",
        )
        mine = setting_names.shown(name, values[name])
        other = settings.control(
            name, values[name], f"pair-{name}", f"Instead of {format.plain(mine)}"
        )
        if st.button(
            "Run both",
            key="run-both",
            type="primary",
            icon=":material/play_arrow:",
            disabled=other == values[name],
            help="One trains after the other; their curves share their axes.",
        ):
            changed = settings.with_chooser(config, {name: other})
            limits.check_places(people.me(), 2)
            first = _start(config, name, data, recipe)
            second = _start(changed, name, data, recipe)
            watch(first, second)
            st.rerun()


def _start(config: TrainConfig, name: str, data: str, recipe: str) -> Run:
    """Start a run that is named after the setting that differs."""
    title = f"{setting_names.term(name)} {setting_names.shown(name, config.to_dict()[name])}"
    return request.start(config, data, recipe, title, people.me())


def watch(run: Run, other: Run | None = None) -> None:
    """Watch a run on the Train page, alone or with another beside it."""
    st.session_state[keys.WATCHED] = run.id
    st.session_state[keys.PAIR] = (run.id, other.id) if other else ()


def other(run: Run) -> Run | None:
    """Return the run that is shown beside this one, if there is one."""
    pair = st.session_state.get(keys.PAIR, ())
    if run.id not in pair:
        return None
    [other] = {*pair} - {run.id}
    try:
        return runs.get(other)
    except RunError:  # somebody deleted it
        st.session_state[keys.PAIR] = ()
        return None


def verdict(run: Run, other: Run) -> str:
    """Return a sentence on which of two runs that are over is better in validation."""
    without = [format.plain(one.name) for one in (run, other) if one.validation_accuracy is None]
    if without:
        names = " and ".join(f"**{name}**" for name in without)
        return f"{names} completed no epoch, so there is nothing to compare."
    (worse, low), (better, high) = sorted(
        ((one, one.validation_accuracy or 0.0) for one in (run, other)), key=lambda pair: pair[1]
    )
    if low == high:
        return f"Both read {format.percent(low)} of the validation images."
    return (
        f"**{format.plain(better.name)}** reads {format.percent(high)} of the validation images, "
        f"**{format.plain(worse.name)}** {format.percent(low)}. With another seed it may turn out "
        "otherwise if the difference is small."
    )

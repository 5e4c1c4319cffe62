"""The settings of a training: a recipe, and a control for every field of TrainConfig."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import recipes
from core.config import COMMON, TrainConfig, config_fields, has_effect
from core.runs import experience
from core.runs.run import Run
from ui import format, keys, runs
from ui.setting_names import LABELS, shown

_FIELDS = config_fields()
_GROUPS = list(dict.fromkeys(field.metadata["group"] for field in _FIELDS.values()))


def settings(data: str, listed: Sequence[Run]) -> tuple[TrainConfig, str]:
    """Show the controls; return the configuration and the recipe that it started from.

    What recipes have reached here on `data` is read from the runs in `listed`. Raises ConfigError
    for a value that a control allows but the configuration does not.
    """
    if keys.CONFIG not in st.session_state:
        take(recipes.RECIPES["fast_cnn"].config, "fast_cnn")
    recipe = _recipe(data, listed)
    values = dict(st.session_state[keys.CONFIG])
    for title in _GROUPS:
        if title == COMMON:
            _controls(title, values)
    _all_settings(values)
    if not has_effect("small_share", values):
        values["small_share"] = 0.0  # no control shows it, and another network's would be refused
    st.session_state[keys.CONFIG] = values
    return TrainConfig(**values), recipe


def _all_settings(values: dict[str, Any]) -> None:
    """Show the controls that are not common; closed, they are not drawn and keep their values."""
    expander = st.expander(
        "All settings", key=keys.ALL_SETTINGS, icon=":material/tune:", on_change="rerun"
    )
    if not expander.open:
        for name, field in _FIELDS.items():
            if field.metadata["group"] != COMMON:  # a control may have changed as it was closed
                values[name] = st.session_state.pop(_key(name), values[name])
        return
    with expander:
        for title in _GROUPS:
            if title != COMMON:
                st.markdown(f"**{title}**")
                _controls(title, values)


def take(config: TrainConfig, recipe: str) -> None:
    """Set all controls to a configuration that started from this recipe, if it is one."""
    values = config.to_dict()
    st.session_state[keys.CONFIG] = values
    if recipe in recipes.RECIPES:
        st.session_state[keys.RECIPE] = recipe
    for name, value in values.items():
        st.session_state[_key(name)] = value


def _recipe(data: str, listed: Sequence[Run]) -> str:
    """Show the choice of a recipe and what it reaches; return its name."""
    known = recipes.RECIPES
    met = {name: experience.of_recipe(recipe, data, listed) for name, recipe in known.items()}

    def titled(name: str) -> str:
        if here := met[name]:
            reached = format.percent(here.test_accuracy)
            return f"{known[name].title} · {reached} in {format.duration(here.seconds)}"
        return known[name].title

    # Set each time: when a run has finished, the titles change, and the browser has an old one.
    st.session_state["recipe-choice"] = st.session_state[keys.RECIPE]
    recipe = st.selectbox(
        "Recipe",
        list(known),
        key="recipe-choice",
        format_func=titled,
        on_change=_take_recipe,
        help="A named starting point. You can change all of its settings below.",
    )
    st.caption(known[recipe].summary)
    if here := met[recipe]:
        times = f"the median of {here.runs} runs" if here.runs > 1 else "one run"
        st.caption(
            f"On this machine: {format.percent(here.test_accuracy)} of the test images in "
            f"{format.duration(here.seconds)}, {times}."
        )
    elif measured := known[recipe].measured:
        st.caption(
            f"Measured: {format.percent(measured.test_accuracy)} of MNIST's test images in "
            f"{format.duration(measured.seconds)}, the mean of {measured.runs} runs on "
            f"{recipes.MEASURED_ON}."
        )
    return recipe


def _take_recipe() -> None:
    if (recipe := st.session_state["recipe-choice"]) in recipes.RECIPES:
        take(recipes.RECIPES[recipe].config, recipe)


def _key(name: str) -> str:
    return f"setting-{name}"


def _controls(group: str, values: dict[str, Any]) -> None:
    """Show the controls of a group that have an effect, and put their values into `values`."""
    for name, field in _FIELDS.items():
        if field.metadata["group"] != group:
            continue
        if has_effect(name, values):
            values[name] = control(name, values[name], _key(name))
        else:  # once it is shown again it begins with the value kept, not with that of this key
            st.session_state.pop(_key(name), None)


def _runs_with_hardness() -> dict[str, str]:
    """Return the names of the runs that recorded which images are hard, by their ids."""
    found = (run for run in runs.listed() if run.config.hardness and run.epochs)
    return {run.id: run.name for run in found}


def control(name: str, value: Any, key: str, label: str = "") -> Any:
    """Show the control of one field, `value` at first, and return its value."""
    metadata = _FIELDS[name].metadata
    value = st.session_state.setdefault(key, value)
    common: dict[str, Any] = {"label": label or LABELS[name], "key": key, "help": metadata["help"]}
    if "choices" in metadata:
        return st.selectbox(
            options=metadata["choices"], format_func=lambda one: shown(name, one), **common
        )
    if "reference" in metadata:
        names = _runs_with_hardness() if name == "chosen_by" else {}
        kept = st.session_state[keys.CONFIG][name]
        return st.selectbox(
            options=list(dict.fromkeys(["", value, kept, *names])),
            format_func=lambda one: names.get(one) or shown(name, one),
            **common,
        )
    if isinstance(value, bool):
        return st.toggle(**common)
    if metadata["stops"]:
        stops = sorted({*metadata["stops"], value})
        return st.select_slider(options=stops, format_func=lambda stop: shown(name, stop), **common)
    kind, low = type(value), metadata["low"]
    if step := metadata["step"]:
        end = max(metadata["end"], value)
        return st.slider(min_value=kind(low), max_value=kind(end), step=kind(step), **common)
    step, form = (1, "%d") if kind is int else (0.0001, "%.4f")
    high = kind(metadata["high"])
    return st.number_input(min_value=kind(low), max_value=high, step=step, format=form, **common)

"""The settings of a training: a recipe, and a control for every field of TrainConfig."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import streamlit as st

from core import recipes
from core.config import COMMON, TrainConfig, config_fields, has_effect
from ui import format, keys

_FIELDS = config_fields()


def settings() -> tuple[TrainConfig, str]:
    """Show the controls; return the configuration and the recipe that it started from.

    Raises ConfigError for a value that a control allows but the configuration does not.
    """
    if keys.CONFIG not in st.session_state:
        _keep(recipes.RECIPES["fast_cnn"])
    names = list(recipes.RECIPES)
    recipe = st.selectbox(
        "Recipe",
        names,
        index=names.index(st.session_state[keys.RECIPE]),
        key="recipe-choice",
        on_change=_take_recipe,
        help="A named starting point. You can change all of its settings below.",
    )
    st.caption(recipes.RECIPES[recipe].summary)
    if measured := recipes.RECIPES[recipe].measured:
        st.caption(
            f"Measured: {format.percent(measured.test_accuracy)} of the test images in "
            f"{format.duration(measured.seconds)}, the mean of {measured.runs} runs on "
            f"{recipes.MEASURED_ON}."
        )
    values = dict(st.session_state[keys.CONFIG])
    for title in dict.fromkeys(field.metadata["group"] for field in _FIELDS.values()):
        with st.expander(title) if title != COMMON else nullcontext():
            for name, field in _FIELDS.items():
                if field.metadata["group"] == title:
                    values[name] = _control(name, values)
    if not has_effect("small_share", values):
        values["small_share"] = 0.0  # as its disabled control shows
    st.session_state[keys.CONFIG] = values
    return TrainConfig(**values), recipe


def _take_recipe() -> None:
    _keep(recipes.RECIPES[st.session_state["recipe-choice"]])


def _keep(recipe: recipes.Recipe) -> None:
    values = recipe.config.to_dict()
    st.session_state[keys.RECIPE], st.session_state[keys.CONFIG] = recipe.name, values
    for name, value in values.items():
        st.session_state[_key(name)] = value


def _key(name: str) -> str:
    return f"setting-{name}"


def _control(name: str, values: dict[str, Any]) -> Any:
    """Show one field's control and return its value; disable it if it has no effect."""
    metadata = _FIELDS[name].metadata
    value = st.session_state.setdefault(_key(name), values[name])
    common: dict[str, Any] = {
        "label": name.replace("_", " ").replace("optimizer", "optimiser").capitalize(),
        "key": _key(name),
        "help": _help(metadata),
        "disabled": not has_effect(name, values),
    }
    if "choices" in metadata:
        return st.selectbox(options=metadata["choices"], **common)
    if isinstance(value, bool):
        return st.toggle(**common)
    if metadata["stops"]:
        stops = sorted({*metadata["stops"], value})
        return st.select_slider(options=stops, format_func=_number, **common)
    kind, low = type(value), metadata["low"]
    if step := metadata["step"]:
        end = max(metadata["end"], value)
        return st.slider(min_value=kind(low), max_value=kind(end), step=kind(step), **common)
    step, form = (1, "%d") if kind is int else (0.0001, "%.4f")
    high = kind(metadata["high"])
    return st.number_input(min_value=kind(low), max_value=high, step=step, format=form, **common)


def _help(metadata: Mapping[str, Any]) -> str:
    """Return a field's help, with the other settings that it needs to have an effect."""
    needs = metadata.get("needs", {}).items()
    only = [f" Only with the {other} {' or '.join(wanted)}." for other, wanted in needs]
    return "".join([metadata["help"], *only])


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"

"""The settings of a training: a recipe, then a control for every field of TrainConfig."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import recipes
from core.config import ANY_SIZE, TrainConfig, config_fields
from ui import format, keys

_FIELDS = config_fields()
_COMMON = ("network", "width", "epochs", "batch_size", "learning_rate")
_FOLDED = {
    "Optimiser and schedule": (
        *(
            "optimizer",
            "momentum",
            "beta2",
            "weight_decay",
            "ema",
            "schedule",
            "step_every",
            "step_factor",
        ),
        *("step_from_start", "warmup", "final_rate"),
    ),
    "Regularisation and augmentation": (
        *("dropout", "label_smoothing", "rotation", "shift", "scale", "shear"),
        *("aspect", "elastic", "thickness"),
        *("small_share", "reading_shift"),
    ),
    "Data, seed and machine": (
        *("validation_size", "train_size", "mean", "std", "seed", "patience"),
        *("precision", "device"),
    ),
}
# Where equal steps on a line would not do: what the slider snaps to.
_STOPS: dict[str, Sequence[float]] = {
    "batch_size": [2**power for power in range(3, 13)],
    "learning_rate": [a * 10.0**b for b in range(-5, 1) for a in (1, 2, 3, 5)],
    "weight_decay": [0.0, *(a * 10.0**b for b in range(-6, 0) for a in (1, 3))],
    "train_size": [0, 100, 300, 1_000, 3_000, 10_000, 30_000, 50_000],
}
# The slider's own upper end and step, where the field's bounds are wider than a hand can aim.
_SLIDER: dict[str, tuple[float, float]] = {
    "epochs": (50, 1),
    "width": (64, 4),
    "momentum": (0.99, 0.01),
    "step_every": (20, 1),
    "step_factor": (1.0, 0.05),
    "warmup": (0.9, 0.05),
    "final_rate": (1.0, 0.01),
    "dropout": (0.9, 0.05),
    "label_smoothing": (0.5, 0.01),
    "rotation": (45.0, 1.0),
    "shift": (8, 1),
    "scale": (0.5, 0.01),
    "shear": (45.0, 1.0),
    "aspect": (0.5, 0.01),
    "elastic": (4.0, 0.1),
    "thickness": (1.0, 0.1),
    "beta2": (0.999, 0.001),
    "ema": (0.999, 0.001),
    "small_share": (1.0, 0.05),
    "reading_shift": (2, 1),
    "patience": (20, 1),
}
_NEEDS = {
    "width": ("network", {"quick_cnn"}),
    "momentum": ("optimizer", {"sgd"}),
    "beta2": ("optimizer", {"adam", "adamw"}),
    "small_share": ("network", set(ANY_SIZE)),
    "step_every": ("schedule", {"step"}),
    "step_factor": ("schedule", {"step", "exponential"}),
    "step_from_start": ("schedule", {"step"}),
    "warmup": ("schedule", {"one_cycle"}),
    "final_rate": ("schedule", {"cosine", "one_cycle"}),
}


def settings() -> tuple[TrainConfig, str]:
    """Draw the controls; return the configuration and the recipe it started from.

    Raises ConfigError for a value that a control lets through and the configuration refuses.
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
        help="A named starting point. Everything in it can be changed below.",
    )
    st.caption(recipes.RECIPES[recipe].summary)
    if measured := recipes.RECIPES[recipe].measured:
        st.caption(
            f"Measured: {format.percent(measured.test_accuracy)} of the test images in "
            f"{format.duration(measured.seconds)}, the mean of {measured.runs} runs on "
            f"{recipes.MEASURED_ON}."
        )
    values = dict(st.session_state[keys.CONFIG])
    for name in _COMMON:
        values[name] = _control(name, values)
    for title, fields in _FOLDED.items():
        with st.expander(title):
            for name in fields:
                values[name] = _control(name, values)
    if values["network"] not in ANY_SIZE:
        values["small_share"] = 0.0  # as its control, greyed out, says
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
    """Draw one field's control and return its value; one without effect here is greyed out."""
    metadata = _FIELDS[name].metadata
    on, wanted = _NEEDS.get(name, ("", set()))
    value = st.session_state.setdefault(_key(name), values[name])
    common: dict[str, Any] = {
        "label": name.replace("_", " ").capitalize(),
        "key": _key(name),
        "help": metadata["help"],
        "disabled": bool(wanted) and values[on] not in wanted,
    }
    if "choices" in metadata:
        return st.selectbox(options=metadata["choices"], **common)
    if isinstance(values[name], bool):
        return st.toggle(**common)
    if name in _STOPS:
        stops = sorted({*_STOPS[name], value})
        return st.select_slider(options=stops, format_func=_number, **common)
    low, high = metadata["low"], metadata["high"]
    kind = type(values[name])
    if name in _SLIDER:
        end, step = _SLIDER[name]
        return st.slider(
            min_value=kind(low), max_value=kind(max(end, value)), step=kind(step), **common
        )
    step = 1 if kind is int else 0.0001
    form = "%d" if kind is int else "%.4f"
    return st.number_input(
        min_value=kind(low), max_value=kind(high), step=kind(step), format=form, **common
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"

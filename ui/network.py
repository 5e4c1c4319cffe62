"""What is about to be trained: the network layer by layer, and how long it will take."""

import pandas as pd
import streamlit as st

from core.config import TrainConfig
from core.data import split_sizes
from ui import words


@st.cache_data(max_entries=32, show_spinner="Timing a few steps …")
def _step_seconds(batch: TrainConfig) -> tuple[float, float]:
    from core import estimate

    return estimate.step_seconds(batch)


def duration(config: TrainConfig, images: int) -> str:
    """Return about how long a training takes here, given how many training images there are.

    Raises DeviceError if the device asked for is not on this machine.
    """
    from core import estimate

    measured = _step_seconds(
        TrainConfig(
            network=config.network,
            width=config.width,
            batch_size=config.batch_size,
            precision=config.precision,
            device=config.device,
        )
    )
    sizes = split_sizes(images, config.validation_size, config.train_size)
    return words.duration(estimate.seconds(config, sizes, measured))


def layers(config: TrainConfig) -> None:
    """Show the network layer by layer with output shapes and parameters."""
    table, total = _layers(config.network, config.width)
    st.dataframe(table, hide_index=True, height=240)
    st.caption(f"{words.count(total)} parameters. Shapes are channels × height × width.")


@st.cache_data(max_entries=16, show_spinner=False)
def _layers(network: str, width: int) -> tuple[pd.DataFrame, int]:
    from core import models

    model = models.build(TrainConfig(network=network, width=width))
    rows = models.layers(model)
    table = pd.DataFrame(
        {
            "layer": [row.kind for row in rows],
            "output": [" × ".join(str(size) for size in row.output) for row in rows],
            "parameters": [row.parameters for row in rows],
        }
    )
    return table, models.parameter_count(model)

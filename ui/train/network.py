"""The network to be trained, layer by layer, and the estimate of its training time."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.config import TrainConfig
from core.data.digits import Digits
from core.data.splits import split_sizes
from core.errors import UserError
from core.jobs import speed
from core.runs import experience
from core.runs.run import Run
from ui import format, keys, runs

_PAUSE = 3  # seconds until the table of the machine's speed is read again


def duration(config: TrainConfig, digits: Digits, listed: Sequence[Run]) -> None:
    """Show the expected training time on these digits.

    It is estimated from finished runs in `listed` with the same work on this machine, or else from
    the table that the process on standby measures.
    """
    images = len(digits.train_labels)
    learned, _ = split_sizes(images, config.validation_size, config.train_size)
    met = experience.seconds(config, digits.source, learned, listed)
    if met is not None:
        st.caption(f"About {format.duration(met)} on this machine, as earlier runs took.")
        return
    try:
        known = speed.step_seconds(config, speed.table())
        waits = known is None and speed.is_measured(config) and not runs.in_progress()
    except UserError as error:
        st.error(format.message(error), icon=":material/memory:")
        return
    if known is not None:
        from core.training import estimate

        sizes = split_sizes(images, config.validation_size, config.train_size)
        expected = format.duration(estimate.seconds(config, sizes, known))
        st.caption(f"About {expected} on this machine, longer while it is busy.")
    elif waits:
        _wait(config)


@st.fragment(run_every=_PAUSE)
def _wait(config: TrainConfig) -> None:
    if speed.step_seconds(config, speed.table()) is not None:
        st.rerun()
    st.caption("Timing this machine …")


def layers(config: TrainConfig) -> None:
    """Show an expander with the network's layers, their output shapes and parameters."""
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

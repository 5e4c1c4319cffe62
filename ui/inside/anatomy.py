"""Every layer's output for one digit, from the first to the answer; a click tells its sum."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.figures.digits import probability_bars
from core.reading.answer import share
from ui import keys
from ui.components.chart import chart
from ui.components.maps import bars, maps
from ui.inside import value

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.layers import Output
    from core.reading.reader import Reader

# What a layer does, by the first word of its name.
_DOES = {
    "Convolution": "Looks for one small pattern everywhere; a map shows where it is.",
    "Batch": "Shifts and scales each map, so that all have a similar range.",
    "Max": "Keeps the largest value of each small window.",
    "Average": "Takes the mean of each small window.",
    "ReLU": "Sets everything below 0 to 0.",
    "Tanh": "Squeezes every value between −1 and 1.",
    "Dense": "Each number is a weighted sum of all the numbers before it.",
}


def anatomy(reader: "Reader", run_id: str, image: NDArray[np.float32], truth: int | None) -> None:
    """Show the answer to a (28, 28) image, then every layer's output."""
    from core.reading import layers

    off = _off(run_id)
    whole = layers.outputs(reader, image)
    found = layers.outputs(reader, image, off) if off else whole
    probabilities, before = layers.answer(reader, found), layers.answer(reader, whole)
    st.markdown(f"### It answers {_said(probabilities)}")
    _missing(before, off)
    chart(probability_bars(probabilities, truth), "inside-bars", height=200)
    st.caption(
        "One pass of the digit, from top to bottom. Click a map to see how that value is computed. "
        "Colours are on one scale within a layer: black is 0, white or orange above, blue below."
    )
    order = _order(found)
    for output in found:
        _layer(reader, run_id, image, found, output, order[output.position])


def _off(run_id: str) -> set[tuple[int, int]]:
    """Return the channels switched off, which are forgotten when another run is selected."""
    kept = st.session_state.get(keys.INSIDE_OFF)
    if kept is None or kept["run"] != run_id:
        kept = st.session_state[keys.INSIDE_OFF] = {"run": run_id, "channels": set()}
    channels: set[tuple[int, int]] = kept["channels"]
    return channels


def _said(probabilities: NDArray[np.float32]) -> str:
    digit = int(probabilities.argmax())
    return f"{digit} ({share(float(probabilities[digit]))})"


def _missing(whole: NDArray[np.float32], off: set[tuple[int, int]]) -> None:
    """Tell how many maps are off, and what the network answers with all of them."""
    with st.container(horizontal=True, vertical_alignment="center", height=40, border=False):
        if not off:
            st.caption("Every map is on.")
            return
        maps_are = "1 map is" if len(off) == 1 else f"{len(off)} maps are"
        st.markdown(f"{maps_are} off; with all on: {_said(whole)}.", width="content")
        st.button(
            "Switch all on",
            key="inside-all-on",
            icon=":material/restart_alt:",
            on_click=off.clear,
        )


def _order(found: "list[Output]") -> dict[int, list[int]]:
    """Return each layer's channels, strongest first, in the same order until maps are mixed."""
    orders: dict[int, list[int]] = {}
    block: list[Output] = []
    for output in [*found, None]:
        mixes = output is None or output.name.startswith("Convolution") or not output.is_maps
        if mixes and block:
            strength = np.abs(block[-1].values).mean(axis=(1, 2))
            order = np.argsort(-strength, kind="stable").tolist()
            orders.update({one.position: order for one in block})
            block = []
        if output is None:
            break
        if output.is_maps:
            block.append(output)
        else:
            orders[output.position] = []
    return orders


def _layer(
    reader: "Reader",
    run_id: str,
    image: NDArray[np.float32],
    found: "list[Output]",
    output: "Output",
    order: list[int],
) -> None:
    if not output.changes:
        st.caption(f"**{output.name}** hands on the same {output.values.size:,} values.")
        return
    does = _DOES[output.name.split()[0]]
    shape = " × ".join(str(side) for side in output.values.shape[1:])
    size = f"{len(output.values):,} maps of {shape}" if shape else f"{len(output.values):,} numbers"
    st.markdown(f"**{output.name}** · {size}", help=does)
    if not output.is_maps:
        bars(output.values, output.name)
        return
    key = f"inside-maps-{run_id}-{output.position}"
    selected = st.session_state.get(keys.INSIDE_VALUE)
    here = selected is not None and selected["key"] == key

    def select() -> None:
        st.session_state[keys.INSIDE_VALUE] = {"key": key, **st.session_state[key].value}

    maps(
        output.values,
        order,
        output.name,
        key,
        on_value=select,
        selected=selected if here else None,
        off=[channel for position, channel in _off(run_id) if position == output.position],
    )
    if selected is not None and here:
        at = (selected["channel"], selected["row"], selected["column"])
        value.detail(reader, image, found, output, at, _off(run_id))

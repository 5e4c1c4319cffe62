"""Every layer's output for one digit, from the first to the answer; a click shows its sum."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.reading.answer import share
from core.runs import files
from core.runs.run import Run
from ui import cache, keys
from ui.components.chart import chart
from ui.components.maps import bars, maps
from ui.inside import value
from ui.inside.cover import cover, left_of

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.layers import Output
    from core.reading.reader import Reader

# What each kind of layer does, by the first word of its name.
_DOES = {
    "Convolution": "Looks for one small pattern everywhere; a map shows where it is.",
    "Batch": "Shifts and scales each map, so that all have a similar range.",
    "Max": "Keeps the largest value of each small window.",
    "Average": "Takes the mean of each small window.",
    "ReLU": "Sets everything below 0 to 0.",
    "Tanh": "Squeezes every value between −1 and 1.",
    "Dense": "Each number is a weighted sum of all the numbers before it.",
}


@st.cache_resource(max_entries=8, show_spinner=False)
def _outputs(
    run_id: str,
    epoch: int | None,
    _reader: "Reader",
    image: NDArray[np.float32],
    off: frozenset[tuple[int, int]] = frozenset(),
) -> "list[Output]":
    """Return cached `layers.outputs` of a run's network at an epoch; do not change them."""
    from core.reading import layers

    return layers.outputs(_reader, image, off)


def anatomy(reader: "Reader", run: Run, image: NDArray[np.float32], truth: int | None) -> None:
    """Show the answer to a (28, 28) image, then every layer's output."""
    run_id = run.id
    st.session_state[keys.INSIDE_REDRAW] = False
    _answer(reader, run, image, truth)
    st.caption(
        "The digit passes through the layers from top to bottom. Click a value in a map to see how "
        "it is computed. Within a layer, all colors are on one scale: black is 0, white or orange "
        "is above, blue is below."
    )
    left = left_of(image, reader.config.mean)
    found = _outputs(run_id, files.network_epoch(run), reader, left, frozenset(_off(run_id)))
    order = _order(found)
    for output in found:
        _layer(reader, run_id, left, found, output, order[output.position])


@st.fragment
def _answer(reader: "Reader", run: Run, image: NDArray[np.float32], truth: int | None) -> None:
    """Show the answer beside the digit; the layers are redrawn when a brush stroke has ended."""
    from core.reading import layers

    off, left = _off(run.id), left_of(image, reader.config.mean)
    network = run.id, files.network_epoch(run), reader
    probabilities = layers.answer(reader, _outputs(*network, left, frozenset(off)))
    st.markdown(f"### It answers {_said(probabilities)}")
    _missing(layers.answer(reader, _outputs(*network, image)), off, left is not image)
    sheet, beside = st.columns([1, 2], vertical_alignment="center")
    with beside:
        chart(cache.probability_bars(probabilities, truth), "inside-bars", height=220)
    with sheet:
        cover(image)
    if st.session_state[keys.INSIDE_REDRAW]:
        st.rerun()


def _off(run_id: str) -> set[tuple[int, int]]:
    """Return the channels that are switched off; they are reset when another run is selected."""
    kept = st.session_state.get(keys.INSIDE_OFF)
    if kept is None or kept["run"] != run_id:
        kept = st.session_state[keys.INSIDE_OFF] = {"run": run_id, "channels": set()}
    channels: set[tuple[int, int]] = kept["channels"]
    return channels


def _said(probabilities: NDArray[np.float32]) -> str:
    digit = int(probabilities.argmax())
    return f"{digit} ({share(float(probabilities[digit]))})"


def _missing(whole: NDArray[np.float32], off: set[tuple[int, int]], covered: bool) -> None:
    """Say what is switched off or covered, and what the network would answer otherwise."""
    taken = ["a part is covered"] if covered else []
    if off:
        taken.append("1 map is off" if len(off) == 1 else f"{len(off)} maps are off")
    with st.container(horizontal=True, vertical_alignment="center", height=40, border=False):
        if not taken:
            st.caption("Every map is on. Paint over a part of the digit to cover it.")
            return
        sentence = " and ".join(taken)
        st.markdown(
            f"{sentence[0].upper()}{sentence[1:]}; otherwise: {_said(whole)}.", width="content"
        )
        if off:
            st.button(
                "Switch all on",
                key="inside-all-on",
                icon=":material/restart_alt:",
                on_click=_all_on,
                args=[off],
            )


def _all_on(off: set[tuple[int, int]]) -> None:
    off.clear()
    st.session_state[keys.INSIDE_REDRAW] = True


def _order(found: "list[Output]") -> dict[int, list[int]]:
    """Return each layer's channels, strongest first, in one order until a layer combines maps."""
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
        st.caption(f"**{output.name}** passes on the same {output.values.size:,} values unchanged.")
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

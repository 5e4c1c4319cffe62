"""Show how one value of a map is computed, and a switch for its map."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.reading.answer import share
from ui.components.maps import picture

if TYPE_CHECKING:  # torch takes 2 s
    from core.reading.layers import Output, Sum
    from core.reading.reader import Reader

_INPUTS = 3  # input maps for which patch, kernel and products are shown
_TILE = 84


def detail(
    reader: "Reader",
    image: NDArray[np.float32],
    found: "list[Output]",
    output: "Output",
    at: tuple[int, int, int],
    off: set[tuple[int, int]],
) -> None:
    """Show the value of `output` at (channel, row, column), and a switch for that map."""
    from core.reading import layers

    channel, row, column = at
    switch = (output.position, channel)
    with st.container(border=True):
        top = st.container(horizontal=True, vertical_alignment="center")
        number = _number(float(output.values[channel, row, column]))
        top.markdown(
            f"Map {channel + 1}, row {row + 1}, column {column + 1}: **{number}**", width="content"
        )
        key = f"inside-off-{output.position}-{channel}"
        st.session_state[key] = switch in off  # "Switch all on" changes it too

        def turn() -> None:
            (off.add if st.session_state[key] else off.discard)(switch)

        top.toggle(
            "Switch this map off",
            key=key,
            on_change=turn,
            help="Set all its values to 0, and see what the network answers without it.",
        )
        if switch in off:
            answer = layers.answer(reader, found)
            digit = int(answer.argmax())
            st.markdown(f"Without it: {digit} ({share(float(answer[digit]))}).")
        elif output.name.startswith("Convolution"):
            _sum(layers.sum_behind(reader, image, found, output.position, *at))


def _sum(parts: "Sum") -> None:
    """Show patch × kernel for the maps that contribute most, and the sum in numbers."""
    each = parts.products.sum(axis=(1, 2))
    strongest = np.argsort(-np.abs(each), kind="stable")[:_INPUTS]
    rows = "".join(
        '<div style="display: flex; align-items: center; gap: 8px; flex-wrap: wrap">'
        + _tile(parts.patch[place], "patch")
        + "×"
        + _tile(parts.kernel[place], "kernel")
        + "="
        + _tile(parts.products[place], "products")
        + f"<span>sum {_number(float(each[place]))}"
        + (f"<br><small>of map {place + 1}</small>" if len(each) > 1 else "")
        + "</span></div>"
        for place in strongest
    )
    st.html(f'<div style="display: flex; flex-direction: column; gap: 8px">{rows}</div>')
    terms = [f"{_number(float(each[strongest].sum()))} (products)"]
    if len(each) > len(strongest):
        rest = float(each.sum() - each[strongest].sum())
        terms.append(f"{_number(rest)} (the other {len(each) - len(strongest)} maps)")
    if parts.bias:
        terms.append(f"{_number(parts.bias)} (bias)")
    steps = "".join(f" → {name} **{_number(value)}**" for name, value in parts.after)
    added = f"{' + '.join(terms)} = " if len(terms) > 1 else ""
    st.markdown(f"{added}**{_number(parts.value)}**{steps}")
    with st.expander(
        "The numbers of the strongest", key="inside-numbers", on_change="rerun"
    ) as box:
        if box.open:
            place = strongest[0]
            for name, table in (
                ("Patch", parts.patch),
                ("Kernel", parts.kernel),
                ("Patch × kernel", parts.products),
            ):
                st.markdown(name)
                st.markdown(_table(table[place]))


def _tile(values: NDArray[np.float32], name: str) -> str:
    return picture(values, name, width=_TILE)


def _table(values: NDArray[np.float32]) -> str:
    """Return a square of numbers as a Markdown table, numbered by column and row."""
    lines = [
        ["", *map(str, range(1, len(values) + 1))],
        ["---"] * (len(values) + 1),
        *(
            [f"**{place}**", *(_number(float(one)) for one in row)]
            for place, row in enumerate(values, 1)
        ),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")

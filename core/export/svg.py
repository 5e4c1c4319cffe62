"""Draw a Plotly figure as SVG: lines, markers, bands and error bars, which are all that we plot.

A report has the same figures as the pages, but without Plotly's 4.5 MB of JavaScript: the SVG is
part of the page, prints sharply, and needs no script.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 480, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 10, 40  # of the plot's frame
_DASHES = {"dot": "2 4", "dash": "6 5"}
_ANCHORS = {"left": "end", "center": "middle", "right": "start"}  # of a text on that side


@dataclass(frozen=True)
class _Axis:
    """One axis: its bounds, as logarithms if logarithmic, and their positions in the drawing."""

    low: float
    high: float
    begin: float
    end: float
    is_logarithmic: bool

    def __call__(self, values: Any) -> NDArray[np.float64]:
        """Return the positions of values in the drawing; NaN for logarithms of 0 or less."""
        numbers = np.asarray(values, np.float64)
        if self.is_logarithmic:
            numbers = np.log10(np.where(numbers > 0, numbers, np.nan))
        share = (numbers - self.low) / (self.high - self.low)
        return np.asarray(self.begin + share * (self.end - self.begin))

    def ticks(self, wanted: int) -> list[float]:
        """Return about `wanted` round values between the bounds."""
        if self.is_logarithmic:
            powers = range(math.floor(self.low), math.ceil(self.high) + 1)
            marks = [m * 10.0**p for p in powers for m in (1, 2, 5)]
            return [mark for mark in marks if self.low <= math.log10(mark) <= self.high]
        rough = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def drawn(figure: go.Figure) -> str:
    """Return a figure of scatter traces as an HTML figure: its title, the drawing, its legend."""
    layout = figure.layout
    x = _axis(figure, "x", _LEFT, _WIDTH - _RIGHT)
    y = _axis(figure, "y", _HEIGHT - _BOTTOM, _TOP)
    title = _text(layout.title.text)
    parts = [*_frame(x, y, layout)]
    for trace in figure.data:
        parts += _trace(trace, x, y)
    legend = "".join(
        f'<span><i style="{_swatch(trace)}"></i>{_text(trace.name)}</span>'
        for trace in figure.data
        if trace.showlegend is not False and layout.showlegend is not False and _is_seen(trace)
    )
    return (
        f'<figure><figcaption>{title}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img" aria-label="{title}">{"".join(parts)}</svg>'
        f'<div class="legend">{legend}</div></figure>'
    )


def _is_seen(trace: Any) -> bool:
    return bool(trace.name) and trace.x is not None and len(trace.x) > 0


def _text(text: str | None) -> str:
    """Return a figure's text as HTML; Plotly's own escapes are undone first."""
    return escape(unescape(text or ""))


def _color(trace: Any) -> str:
    return escape(trace.line.color or trace.marker.color or "#888")


def _swatch(trace: Any) -> str:
    """Return the style of a trace's square or ring in the legend."""
    if trace.mode == "markers" and trace.marker.symbol == "circle-open":
        return f"border:2px solid {_color(trace)};border-radius:50%"
    return f"background:{_color(trace)};opacity:{trace.opacity or 1}"


def _axis(figure: go.Figure, name: str, begin: float, end: float) -> _Axis:
    """Return an axis with the layout's bounds, or else the data's with a little room."""
    options = figure.layout[f"{name}axis"]
    is_logarithmic = options.type == "log"
    if options.range:
        low, high = map(float, options.range)
        return _Axis(low, high, begin, end, is_logarithmic)
    values = np.concatenate([np.zeros(0), *(_extent(trace, name) for trace in figure.data)])
    values = values[np.isfinite(values)]
    if is_logarithmic:
        values = np.log10(values[values > 0])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if options.rangemode == "tozero" and not is_logarithmic:
        low, high = min(low, 0.0), max(high, 0.0)
    room = 0.06 * (high - low) or 0.5
    low -= 0 if low == 0 else room
    return _Axis(low, high + room, begin, end, is_logarithmic)


def _extent(trace: Any, name: str) -> NDArray[np.float64]:
    """Return the values that an axis has to show, including error bars."""
    values = np.asarray([] if trace[name] is None else trace[name], np.float64)
    if name == "y" and trace.error_y.array is not None:
        above, below = (
            np.asarray(one, np.float64) for one in (trace.error_y.array, trace.error_y.arrayminus)
        )
        values = np.concatenate([values, values + above, values - below])
    return values


def _frame(x: _Axis, y: _Axis, layout: Any) -> Iterator[str]:
    """Yield the grid, its numbers and the axes' titles."""
    for value, place in zip(x.ticks(7), x(x.ticks(7)), strict=True):
        if layout.xaxis.dtick and abs(value % layout.xaxis.dtick) > 1e-9:
            continue
        yield f'<path class="grid" d="M{place:.1f} {y.begin}V{y.end}"/>'
        label = _number(value, layout.xaxis.tickformat)
        yield f'<text x="{place:.1f}" y="{y.begin + 15}" text-anchor="middle">{label}</text>'
    for value, place in zip(y.ticks(5), y(y.ticks(5)), strict=True):
        yield f'<path class="grid" d="M{x.begin} {place:.1f}H{x.end}"/>'
        label = _number(value, layout.yaxis.tickformat)
        yield f'<text x="{x.begin - 6}" y="{place + 4:.1f}" text-anchor="end">{label}</text>'
    middle = (x.begin + x.end) / 2, (y.begin + y.end) / 2
    yield f'<text x="{middle[0]}" y="{_HEIGHT - 6}" text-anchor="middle">'
    yield f"{_text(layout.xaxis.title.text)}</text>"
    yield f'<text transform="translate(12 {middle[1]}) rotate(-90)" text-anchor="middle">'
    yield f"{_text(layout.yaxis.title.text)}</text>"


def _number(value: float, form: str | None) -> str:
    if form and "%" in form:
        return f"{100 * value:.6g} %"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.6g}"


def _trace(trace: Any, x: _Axis, y: _Axis) -> Iterator[str]:
    """Yield one trace's drawing."""
    if trace.x is None or trace.y is None:
        return
    across, down = x(trace.x), y(trace.y)
    seen = np.isfinite(across) & np.isfinite(down)
    color, mode = _color(trace), trace.mode or "lines"
    if trace.fill == "toself":
        yield (
            f'<path fill="{escape(trace.fillcolor)}" opacity="{trace.opacity or 1}" '
            f'd="{_path(across[seen], down[seen])}Z"/>'
        )
        return
    if "lines" in mode:
        for part in _runs(seen):
            yield (
                f'<path fill="none" stroke="{color}" stroke-width="{trace.line.width or 2}" '
                f'stroke-dasharray="{_DASHES.get(trace.line.dash or "", "none")}" '
                f'opacity="{trace.opacity or 1}" d="{_path(across[part], down[part])}"/>'
            )
    if trace.error_y.array is not None:
        high, low = (
            y(np.asarray(trace.y) + sign * np.asarray(one))
            for sign, one in ((1, trace.error_y.array), (-1, trace.error_y.arrayminus))
        )
        for at in np.flatnonzero(seen):
            yield f'<path stroke="{color}" d="M{across[at]:.1f} {high[at]:.1f}V{low[at]:.1f}"/>'
    if "markers" in mode:
        yield from _markers(trace, across, down, seen)


def _markers(
    trace: Any, across: NDArray[np.float64], down: NDArray[np.float64], seen: NDArray[np.bool_]
) -> Iterator[str]:
    """Yield a circle or ring for each point, and its text beside it."""
    count = len(seen)
    size, symbol = trace.marker.size, trace.marker.symbol
    sizes = np.broadcast_to(5 if size is None else size, count)
    symbols = np.broadcast_to("circle" if symbol is None else symbol, count)
    color = escape(str(trace.marker.color or _color(trace)))
    texts = [""] * count if trace.text is None else list(trace.text)
    for at in np.flatnonzero(seen):
        fill = "none" if symbols[at] == "circle-open" else color
        yield (
            f'<circle cx="{across[at]:.1f}" cy="{down[at]:.1f}" r="{sizes[at] / 2:g}" '
            f'fill="{fill}" stroke="{color}" stroke-width="{2 if fill == "none" else 0}"/>'
        )
        if texts[at]:
            row, edge = (trace.textposition or "top center").split()
            away = {"left": -1, "center": 0, "right": 1}[edge] * (sizes[at] / 2 + 4)
            below = {"top": -10, "middle": 4, "bottom": 18}[row]
            yield (
                f'<text x="{across[at] + away:.1f}" y="{down[at] + below:.1f}" '
                f'text-anchor="{_ANCHORS[edge]}">{_text(texts[at])}</text>'
            )


def _path(across: NDArray[np.float64], down: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(across, down, strict=True))


def _runs(seen: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the indices of each unbroken stretch of visible points."""
    places = np.flatnonzero(seen)
    return [one for one in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(one)]

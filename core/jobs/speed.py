"""How long a step of each network takes on this machine, as a table in the store's folder.

Processes on standby measure it while they wait for a run. Each row is measured by several
processes, once by each, and the fastest counts, since the machine may be busy. The server only
reads the table, so it never runs a step itself.
"""

import json
import math
import platform
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from core.config import NETWORKS, TrainConfig
from core.jobs import queue
from core.runs.store import directory
from core.training import device
from core.whole import store_whole

Seconds = tuple[float, float]  # of one training step, and of one forward pass
Table = Mapping[str, Seconds]

_BATCHES = (32, 128)  # measured batch sizes; others are on the straight line through these
_WIDTHS = {"quick_cnn": (8, 16, 32)}  # the one network whose width can be set
_UNWRITTEN = "The table of this machine's speed could not be written"
_TIMES = 3  # how often each row is measured, each time by another process
_PAUSE = 1.0  # seconds between two rows, so that pages can be drawn


def table() -> Table:
    """Return the rows measured on this machine so far; none if the file is another machine's."""
    return {row: (step, forward) for row, (step, forward, _) in _kept().items()}


def step_seconds(config: TrainConfig, known: Table) -> Seconds | None:
    """Return the seconds of a step and of a forward pass with these settings, from the table.

    None if the rows needed have not been measured. Raises DeviceError.
    """
    where = device.choose(config.device, config.precision)
    if where.kind != device.choose().kind:
        return None
    widths = _WIDTHS.get(config.network, (config.width,))
    low = max([width for width in widths[:-1] if width <= config.width], default=widths[0])
    high = next((width for width in widths if width > low), low)
    found = [
        _for_batch(
            config.batch_size, [known.get(row) for row in _rows(config.network, width, where)]
        )
        for width in (low, high)
    ]
    if found[0] is None or found[1] is None:
        return None
    return _between(found[0], found[1], low, high, config.width)


def is_measured(config: TrainConfig) -> bool:
    """Return whether the table has, or will have, rows for these settings. Raises DeviceError."""
    where = device.choose(config.device, config.precision)
    return where.kind == device.choose().kind and where.precision in _precisions()


def measure(arrived: threading.Event) -> None:
    """Measure each row that was not measured often enough, until a run arrives.

    While another process trains on this machine, it waits, so that neither slows the other. Raises
    StoreError.
    """
    from core.training import estimate

    for row, config in _wanted():
        if row in (kept := _kept()) and kept[row][2] >= _TIMES:
            continue
        measured = None
        while measured is None:
            if arrived.wait(_PAUSE):
                return
            if not queue.owners():
                measured = estimate.step_seconds(
                    config, lambda: arrived.is_set() or bool(queue.owners())
                )
        kept = _kept()  # another process may have measured too
        step, forward, times = kept.get(row, (*measured, 0))
        kept[row] = min(step, measured[0]), min(forward, measured[1]), times + 1
        content = json.dumps({"machine": _machine(), "rows": sorted(kept.items())})
        store_whole(_path(), partial(Path.write_text, data=content), _UNWRITTEN)


def _kept() -> dict[str, tuple[float, float, int]]:
    """Return the table's rows, and how many times each was measured."""
    try:
        kept = json.loads(_path().read_text())
        if kept["machine"] != _machine():
            return {}
        return {str(row): (float(a), float(b), int(times)) for row, (a, b, times) in kept["rows"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _wanted() -> Iterator[tuple[str, TrainConfig]]:
    """Yield each row to be measured, with its settings; the fastest precision first."""
    for precision in _precisions():
        for network in NETWORKS:
            for width in _WIDTHS.get(network, (TrainConfig().width,)):
                for batch in _BATCHES:
                    config = TrainConfig(
                        network=network, width=width, batch_size=batch, precision=precision
                    )
                    yield _row(network, width, batch, precision), config


def _precisions() -> tuple[str, ...]:
    return tuple(dict.fromkeys((device.choose().precision, "float32")))


def _rows(network: str, width: int, where: device.Device) -> list[str]:
    return [_row(network, width, batch, where.precision) for batch in _BATCHES]


def _row(network: str, width: int, batch: int, precision: str) -> str:
    return " ".join([network, *([str(width)] if network in _WIDTHS else []), str(batch), precision])


def _for_batch(batch: int, measured: list[Seconds | None]) -> Seconds | None:
    """Return the seconds for a batch of this size, given those for the two of _BATCHES."""
    small, large = measured
    if small is None or large is None:
        return None

    def line(low: float, high: float) -> float:
        slope = max(high - low, 0) / (_BATCHES[1] - _BATCHES[0])
        return max(low + slope * (batch - _BATCHES[0]), low * min(batch / _BATCHES[0], 1))

    return line(small[0], large[0]), line(small[1], large[1])


def _between(a: Seconds, b: Seconds, low: int, high: int, width: int) -> Seconds:
    """Return the seconds at a width, on the power law through those at two other widths."""
    if low == high:
        return a
    share = math.log(width / low) / math.log(high / low)
    return a[0] * (b[0] / a[0]) ** share, a[1] * (b[1] / a[1]) ** share


def _machine() -> str:
    """Return what the times depend on: the machine, its chip and torch's version."""
    import torch

    return f"{platform.node()}, {device.choose().name}, torch {torch.__version__}"


def _path() -> Path:
    return directory() / "speed.json"

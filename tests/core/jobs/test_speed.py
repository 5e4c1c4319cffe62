"""The table of this machine's speed: what it says between its rows, and who measures it."""

import json
import threading
import time
from pathlib import Path

import pytest

from core.config import NETWORKS, TrainConfig
from core.jobs import queue, speed, standby
from core.jobs.request import worker_environment
from tests.core.jobs.test_standby import until

FLOAT = {"precision": "float32"}


def told(table: speed.Table, **settings: object) -> float:
    """Return the seconds of a step, in float32."""
    config = TrainConfig().changed({**FLOAT, **settings})
    found = speed.step_seconds(config, table)
    assert found
    return found[0]


def test_batches_lie_on_a_line_and_widths_on_a_power() -> None:
    """The rows themselves are as measured; four times the work for twice the width goes on."""
    table = {"mlp 32 float32": (0.02, 0.01), "mlp 128 float32": (0.05, 0.02)}
    assert told(table, network="mlp", batch_size=32) == pytest.approx(0.02)
    assert told(table, network="mlp", batch_size=80) == pytest.approx(0.035)
    assert told(table, network="mlp", batch_size=224) == pytest.approx(0.08)
    assert 0 < told(table, network="mlp", batch_size=2) <= 0.02
    for width, step in ((8, 1.0), (16, 4.0), (32, 16.0)):
        for batch in (32, 128):
            table[f"quick_cnn {width} {batch} float32"] = (step, step)
    for width, step in ((4, 0.25), (8, 1), (12, 2.25), (16, 4), (32, 16), (64, 64)):
        assert told(table, network="quick_cnn", width=width, batch_size=32) == pytest.approx(step)


def test_what_was_not_measured_is_not_known(own_runs: Path) -> None:
    """Nothing is told from half of the rows, a damaged file, or another machine's table."""
    config = TrainConfig(network="mlp", **FLOAT)  # type: ignore[arg-type]  # one of its fields
    assert speed.table() == {}
    assert speed.step_seconds(config, {"mlp 32 float32": (0.03, 0.01)}) is None
    assert speed.is_measured(config)
    path = own_runs / "speed.json"
    damaged = "", "[]", "{", '{"machine": "another", "rows": []}', '{"rows": [["a", 1]]}'
    for content in damaged:
        path.write_text(content)
        assert speed.table() == {}


def test_nothing_is_measured_once_a_run_has_arrived(own_runs: Path) -> None:
    """Whoever presses Start does not wait for the table."""
    arrived = threading.Event()
    arrived.set()
    speed.measure(arrived)
    assert not (own_runs / "speed.json").exists()


def test_the_process_on_standby_measures(own_runs: Path, sample_only: None) -> None:
    """Row by row the table fills; a run's seconds are known long before it is complete."""
    try:
        standby.prepare(worker_environment())
        until(lambda: len(speed.table()) >= 2, 60)
    finally:
        standby.release()
    rows = json.loads((own_runs / "speed.json").read_text())["rows"]
    assert {row.split()[0] for row, _ in rows} <= set(NETWORKS)
    assert all(step > forward > 0 and times == 1 for _, (step, forward, times) in rows)


def test_nothing_is_measured_while_another_process_trains(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits while a run is in the queue, and goes on once that has left."""
    monkeypatch.setattr(speed, "_PAUSE", 0.05)
    folder, arrived = queue.folder_for(TrainConfig()), threading.Event()
    queue.enter(folder, "another")
    measuring = threading.Thread(target=speed.measure, args=(arrived,))
    measuring.start()
    try:
        time.sleep(1)
        assert speed.table() == {}
        queue.leave(folder, "another")
        until(lambda: len(speed.table()) >= 1, 60)
    finally:
        arrived.set()
        measuring.join()


def test_the_fastest_of_several_measurements_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine's slow steps no longer count once faster ones were seen; three are enough."""
    timed = iter([(4.0, 1.0), (0.5, 0.1), (2.0, 0.5)])
    monkeypatch.setattr("core.training.estimate.step_seconds", lambda *_: next(timed))
    monkeypatch.setattr(speed, "_PAUSE", 0)
    only = ("mlp 32 float32", TrainConfig())
    monkeypatch.setattr(speed, "_wanted", lambda: [only])
    seen = []
    for _ in range(4):
        speed.measure(threading.Event())
        seen.append(speed.table()[only[0]])
    assert seen == [(4.0, 1.0), *[(0.5, 0.1)] * 3]

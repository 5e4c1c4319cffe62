"""The process that arranges a map: once for each data set and split."""

import time

import numpy as np
import pytest

from core.data import maps, mnist
from core.jobs import maps as job


def test_process_arranges_and_keeps_it(sample_only: None) -> None:
    """Started twice, it arranges once; what is kept has a place for each image of the sample."""
    digits = mnist.load("sample")
    one = job.job(digits, "test")
    assert job.result(digits, "test") is None and one.share is None
    one.start()
    one.start()
    end = time.monotonic() + 60
    while one.share is not None and time.monotonic() < end:
        time.sleep(0.1)
    assert one.problem == ""
    points = job.result(digits, "test")
    assert points is not None and points.shape == (1_000, 2)


@pytest.mark.parametrize("damage", ["other numbers", "no numbers", "too few"])
def test_map_of_another_sample_counts_as_none(damage: str, sample_only: None) -> None:
    """What an earlier version kept, or what is damaged, is arranged again."""
    digits = mnist.load("sample")
    numbers = maps.sample(digits, "test")
    points = np.zeros((len(numbers), 2))
    job.job(digits, "test").keep({"numbers": numbers, "points": points})
    assert job.result(digits, "test") is not None
    if damage == "other numbers":
        numbers = numbers[::-1]
    elif damage == "no numbers":
        points = np.full_like(points, np.nan)
    else:
        points = points[1:]
    job.job(digits, "test").keep({"numbers": numbers, "points": points})
    assert job.result(digits, "test") is None

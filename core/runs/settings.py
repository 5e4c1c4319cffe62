"""Settings: groups of runs that differ only in their seed, and statistics over their seeds.

The seed starts every random choice: weights, the order of the images, augmentation, and which
images are held out for validation. The test images are the same for all.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from core.config import TrainConfig, config_fields, has_effect
from core.runs.run import Run, learns_from_all


@dataclass(frozen=True)
class Spread:
    """The mean of n numbers, and their sample standard deviation, which is None if n is 1."""

    mean: float
    deviation: float | None
    n: int


@dataclass(frozen=True)
class Setting:
    """The runs of one setting, at least one, in their given order."""

    key: str
    runs: tuple[Run, ...]

    @property
    def seeds(self) -> tuple[Run, ...]:
        """One run for each seed, a tested one if there is one; repeating a seed adds nothing."""
        first: dict[int, Run] = {}
        for run in sorted(self.runs, key=lambda run: run.test_accuracy is None):
            first.setdefault(run.config.seed, run)
        return tuple(first.values())

    @property
    def test_accuracies(self) -> list[float]:
        """The test accuracies of its seeds that were tested, in [0, 1]."""
        return [run.test_accuracy for run in self.seeds if run.test_accuracy is not None]

    def spread(self, metric: str) -> Spread | None:
        """Return the spread over seeds of one of Run's numbers; None if no run has it."""
        values = [getattr(run, metric) for run in self.seeds]
        return spread([value for value in values if value is not None])


def spread(values: Sequence[float]) -> Spread | None:
    """Return the mean and the sample standard deviation (n - 1) of numbers; None if none."""
    if not values:
        return None
    return Spread(mean(values), stdev(values) if len(values) > 1 else None, len(values))


def key_of(run: Run) -> str:
    """Return 12 hexadecimal digits that are the same for all runs of a setting.

    Each imported network is a setting of its own: its training is not known for sure, and a copy of
    a run is no further evidence.
    """
    own = run.id if run.imported else run.taught_from
    return _key(run.config, run.data, own, run.taught_digits)


def _key(config: TrainConfig, data: str, taught_from: str = "", taught_digits: int = 0) -> str:
    """Return a hash of a run's settings and data, without its seed.

    Fields that have no effect, such as SGD's momentum with Adam, do not count; nor do more images
    to learn from than the data have.
    """
    values = config.to_dict()
    counted = {
        name: values[name]
        for name in config_fields()
        if name != "seed" and has_effect(name, values)
    }
    if learns_from_all(config, data):
        counted["train_size"] = 0
    content = json.dumps([counted, data, taught_from, taught_digits], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def grouped(found: Iterable[Run]) -> list[Setting]:
    """Group runs by setting, in the order of each setting's first run."""
    runs: dict[str, list[Run]] = {}
    for run in found:
        runs.setdefault(key_of(run), []).append(run)
    return [Setting(key, tuple(members)) for key, members in runs.items()]


def labels(found: Sequence[Setting]) -> list[str]:
    """Return a unique name for each setting: its run's, or the part that its runs' names share.

    Runs fast_cnn-3 and fast_cnn-4 share fast_cnn. If names share nothing, the network's name is
    used. A name that occurs twice is followed by the start of the setting's key.
    """
    names = [_name(setting) for setting in found]
    return [
        name if names.count(name) == 1 else f"{name} ({setting.key[:6]})"
        for name, setting in zip(names, found, strict=True)
    ]


def _name(setting: Setting) -> str:
    names = {run.name for run in setting.runs}
    if len(names) == 1:
        return names.pop()
    shortest, longest = min(names), max(names)  # what the first and last in order share, all share
    length = next(
        (i for i, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b),
        min(len(shortest), len(longest)),
    )
    shared = re.sub(r"(, seed |[-_ ,#(])\d*$", "", shortest[:length])
    return shared if len(shared) > 1 else setting.runs[0].network


def new_seeds(config: TrainConfig, data: str, found: Iterable[Run], count: int) -> list[int]:
    """Return the next seeds with which none of the runs has trained this setting yet."""
    key = _key(config, data)
    used = {run.config.seed for run in found if key_of(run) == key}
    first = max(used, default=config.seed - 1) + 1
    return list(range(first, first + count))

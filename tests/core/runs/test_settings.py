"""Settings: runs that differ only in their seed."""

from dataclasses import replace

import pytest

from core.config import TrainConfig
from core.runs import builtin, settings
from core.runs.run import Run


def run(name: str, accuracy: float | None = None, data: str = "sample", **changes: object) -> Run:
    """Return a run as if from a store."""
    return replace(
        builtin.run(),
        id=name,
        name=name,
        config=TrainConfig().changed(changes),
        data=data,
        test_accuracy=accuracy,
    )


def test_another_seed_is_the_same_setting() -> None:
    """Runs that differ in their seed alone are one setting; another field or data make another."""
    found = settings.grouped(
        [
            run("a-1", seed=1),
            run("b-1", epochs=9),
            run("a-2", seed=2),
            run("full", data="mnist"),
        ]
    )
    assert [[one.name for one in setting.runs] for setting in found] == [
        ["a-1", "a-2"],
        ["b-1"],
        ["full"],
    ]


def test_field_without_effect_makes_no_other_setting() -> None:
    """SGD's momentum makes no difference beside AdamW, and does with SGD."""
    assert settings.key_of(run("a", momentum=0.5)) == settings.key_of(run("b", momentum=0.9))
    sgd = {"optimizer": "sgd"}
    assert settings.key_of(run("a", momentum=0.5, **sgd)) != settings.key_of(
        run("b", momentum=0.9, **sgd)
    )


def test_taught_run_is_not_its_settings_alone() -> None:
    """A run that began from another's network does not count as a seed of the same setting."""
    plain = run("a")
    assert settings.key_of(plain) != settings.key_of(replace(plain, taught_from="parent"))


def test_a_copy_from_elsewhere_is_no_seed_of_its_original() -> None:
    """An imported run has its own row, whatever its file says about its settings."""
    copies = [replace(run("copy", seed=seed), id=f"copy{seed}", imported="run") for seed in (1, 2)]
    found = settings.grouped([run("original", seed=1), *copies])
    assert [len(setting.runs) for setting in found] == [1, 1, 1]


def test_key_is_the_same_in_every_process() -> None:
    """The key stays the same, because it is in addresses that people send each other."""
    assert settings.key_of(run("a")) == settings.key_of(run("b", seed=5))
    assert len(settings.key_of(run("a"))) == 12


def test_spread_is_mean_and_sample_deviation() -> None:
    """The deviation divides by n - 1; one number has none."""
    found = settings.spread([2, 4, 4, 4, 5, 5, 7, 9])
    assert found is not None and (found.mean, found.n) == (5, 8)
    assert found.deviation == pytest.approx((32 / 7) ** 0.5)
    assert settings.spread([0.5]) == settings.Spread(0.5, None, 1)
    assert settings.spread([]) is None


def test_seed_twice_counts_once() -> None:
    """Training a seed again gives the same numbers, and no more evidence."""
    [setting] = settings.grouped(
        [run("untested", seed=1), run("one", 0.9, seed=1), run("again", 0.9, seed=1), run("x", 0.8)]
    )
    assert len(setting.runs) == 4
    assert setting.test_accuracies == [0.9, 0.8]
    spread = setting.spread("test_accuracy")
    assert spread is not None and spread.n == 2


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["alone"], "alone"),
        (["fast_cnn-3", "fast_cnn-4"], "fast_cnn"),
        (["mine, seed 0", "mine, seed 1"], "mine"),
        (["lenet5-1", "lenet5-2"], "lenet5"),
        (["first", "second"], "fast_cnn"),
    ],
)
def test_setting_is_called_what_its_runs_share(names: list[str], label: str) -> None:
    """The numbers of runs and seeds are left out."""
    found = settings.grouped(run(name, seed=number) for number, name in enumerate(names))
    assert settings.labels(found) == [label]


def test_two_settings_of_one_name_are_told_apart() -> None:
    """Each gets the start of its key."""
    found = settings.grouped([run("a"), run("a", epochs=9)])
    assert settings.labels(found) == [f"a ({setting.key[:6]})" for setting in found]


def test_new_seeds_follow_those_that_were_trained() -> None:
    """Only runs of this setting on this data count; without any, its own seed is the first."""
    found = [run("a", seed=1), run("b", seed=4), run("c", seed=9, epochs=9)]
    assert settings.new_seeds(TrainConfig(), "sample", found, 2) == [5, 6]
    assert settings.new_seeds(TrainConfig(seed=3), "mnist", found, 2) == [3, 4]

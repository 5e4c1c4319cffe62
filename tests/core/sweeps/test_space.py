"""What a sweep varies: bounds read from text, and the settings that lie between them."""

import pytest

from core.config import TrainConfig
from core.errors import ConfigError
from core.sweeps import space
from core.sweeps.space import Range, Values


def test_bounds_are_written_as_they_are_read() -> None:
    """A range, a range of magnitudes and a list survive being written and read again."""
    texts = {
        "learning_rate": "0.001:0.1:log",
        "epochs": "2:8",
        "optimizer": "sgd,adamw",
        "step_from_start": "True,False",
    }
    found = space.space_from(texts)
    assert found["learning_rate"] == Range(0.001, 0.1, log=True)
    assert found["step_from_start"] == Values((True, False))
    assert {field: str(bounds) for field, bounds in found.items()} == texts


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("learning_rat", "1:2", "Did you mean learning_rate?"),
        ("seed", "1:5", "cannot vary seed"),
        ("learning_rate", "0.1:0.001", "a lower and a higher bound"),
        ("dropout", "0:0.5:log", "a low bound above 0"),
        ("dropout", "0:2", "from 0 to 0.9, not '2'"),
        ("optimizer", "sgd:adam", "takes words, not a range"),
        ("optimizer", "sgd", "two values or more"),
        ("epochs", "1:4:exp", "LOW:HIGH:log"),
    ],
)
def test_impossible_bounds_say_what_to_do(field: str, text: str, said: str) -> None:
    """A sweep that could not run is refused with the field and the rule."""
    with pytest.raises(ConfigError) as refused:
        space.domain(field, text)
    assert said in str(refused.value)


def test_grid_has_every_combination_once() -> None:
    """Ranges count as five values, ends included; the order depends on the seed alone."""
    varied = space.space_from({"learning_rate": "0.001:0.1:log", "width": "8,16", "epochs": "1:3"})
    found = space.grid(varied, seed=1)
    assert len(found) == space.grid_size(varied) == 5 * 2 * 3
    assert len({tuple(one.items()) for one in found}) == 30
    rates = sorted({one["learning_rate"] for one in found})
    assert rates == pytest.approx([0.001, 0.003162, 0.01, 0.03162, 0.1])
    assert found == space.grid(varied, seed=1) != space.grid(varied, seed=2)


def test_settings_without_effect_stay_as_they_were() -> None:
    """Momentum is SGD's; and a network of one size takes no smaller images, whatever is varied."""
    base = TrainConfig(network="fast_cnn", small_share=0.5)
    tried = space.configured(base, {"optimizer": "adam", "momentum": 0.5, "network": "mlp"})
    assert (tried.momentum, tried.small_share) == (base.momentum, 0.0)


def test_rounded_settings_stay_within_bounds() -> None:
    """Four digits are enough to tell, and none leaves the bounds for it."""
    varied = space.space_from({"learning_rate": "0.0012342:0.1"})
    assert space.rounded(varied, {"learning_rate": 0.00123421}) == {"learning_rate": 0.0012342}
    assert space.rounded(varied, {"learning_rate": 0.0567891}) == {"learning_rate": 0.05679}

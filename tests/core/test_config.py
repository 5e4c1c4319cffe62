"""Settings: what is accepted, and what the refusal says."""

import dataclasses

import pytest

from core.config import TrainConfig, config_fields, config_from
from core.errors import ConfigError


def test_defaults_are_a_valid_configuration() -> None:
    """The defaults are valid, and survive a round trip through JSON's plain values."""
    config = TrainConfig()
    assert config_from(config.to_dict()) == config


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("epochs", 0, "from 1 to 200"),
        ("epochs", 2.5, "a whole number"),
        ("batch_size", 1, "from 2 to 8,192"),
        ("learning_rate", -1, "from 1e-06 to 10"),
        ("learning_rate", float("nan"), "a number"),
        ("learning_rate", "fast", "a number"),
        ("dropout", 1, "from 0 to 0.9"),
        ("epochs", True, "a whole number"),
        ("network", "resnet", "one of fast_cnn"),
        ("epochs", 10**400, "a whole number"),
        ("step_from_start", "maybe", "true or false"),
        ("notes", "../notes", "32 hexadecimal digits"),
    ],
)
def test_impossible_values_name_field_rule_and_value(field: str, value: object, rule: str) -> None:
    """A refusal says which field, what would do, and what it got."""
    with pytest.raises(ConfigError) as refusal:
        TrainConfig(**{field: value})
    message = str(refusal.value)
    assert message.startswith(field) and rule in message and repr(value) in message


def test_text_becomes_the_fields_type() -> None:
    """A command line's text is taken as the number or truth it spells."""
    config = TrainConfig().changed(
        {"epochs": "7", "learning_rate": "1e-3", "step_from_start": "true"}
    )
    assert (config.epochs, config.learning_rate, config.step_from_start) == (7, 0.001, True)
    assert type(config.epochs) is int


def test_unknown_field_suggests_the_nearest() -> None:
    """A misspelled field is answered with the field that was meant."""
    with pytest.raises(ConfigError, match="Did you mean learning_rate"):
        TrainConfig().changed({"learning_rat": 1})


def test_configurations_cannot_be_altered() -> None:
    """A configuration is frozen: a run's settings stay what they were."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().epochs = 3  # type: ignore[misc]


def test_every_field_has_help_that_is_a_sentence() -> None:
    """Each control can say what turning it does."""
    for name, field in config_fields().items():
        assert field.metadata["help"].endswith("."), name


def test_small_images_are_refused_for_a_network_that_cannot_read_them() -> None:
    """Its fully connected layer has as many inputs as images of 28×28 give it."""
    assert TrainConfig(network="fast_cnn", small_share=0.5).small_share == 0.5
    with pytest.raises(ConfigError, match="small_share must be 0 for mlp"):
        TrainConfig(network="mlp", small_share=0.5)

"""A sweep that is quick to do."""

from typing import Any

import pytest

from core.config import TrainConfig
from core.runs.person import OWNER
from core.sweeps import control
from core.sweeps.space import space_from
from core.sweeps.sweep import Plan, Sweep

BASE = TrainConfig(network="mlp", epochs=2, train_size=500, validation_size=100)


@pytest.fixture
def start(sample_only: None) -> Any:
    """A function that starts a sweep over the learning rate; its arguments change the plan."""

    def start(
        name: str = "search", vary: dict[str, str] | None = None, epochs: int = 2, **changes: Any
    ) -> Sweep:
        space = space_from(vary or {"learning_rate": "0.001:0.1:log"})
        plan = {
            "base": BASE.changed({"epochs": epochs}),
            "recipe": "",
            "data": "sample",
            "space": space,
            "trials": 3,
        }
        return control.start(name, Plan(**plan | changes), OWNER)

    return start

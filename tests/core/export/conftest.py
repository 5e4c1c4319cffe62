"""Finished runs, made without training."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from core.config import TrainConfig
from core.data import mnist
from core.export import bundle
from core.export.terms import File
from core.runs import builtin, catalogue, files
from core.runs.run import Run, State
from core.training import checkpoint, networks

Finished = Callable[..., Run]


@pytest.fixture(scope="session")
def made() -> list[File]:
    """The export of the built-in network."""
    return bundle.files(builtin.run())


@pytest.fixture
def finished(sample_only: None) -> Finished:
    """A function that enters a finished run with random weights, or given ones, into the store."""

    def enter(
        name: str = "a run", parent: Run | None = None, taught_digits: int = 0, **settings: Any
    ) -> Run:
        config = TrainConfig().changed({"epochs": 1} | settings)
        run = catalogue.create(
            config, "sample", name=name, parent=parent, taught_digits=taught_digits
        )
        catalogue.move(run.id, State.RUNNING)
        torch.manual_seed(3)
        model = networks.build(config)
        for layer in model:  # as after a training: not the averages that BatchNorm begins with
            if isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(layer.running_mean, -0.5, 0.5)
                torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
        checkpoint.save(
            checkpoint.Checkpoint(
                config=config.to_dict(),
                epoch=1,
                best_epoch=1,
                best_accuracy=0.5,
                train_seconds=1.0,
                model_state_dict=model.state_dict(),
                optimizer_state_dict={},
                scheduler_state_dict={},
                random_state={},
            ),
            run.folder / files.BEST,
        )
        points = {"epochs": 1, "best_epoch": 1, "temperature": 1.7, "reading_sure_from": 0.9}
        catalogue.log(run.id, [(name, float(value), 1) for name, value in points.items()])
        catalogue.set_tags(run.id, {"data_checksum": mnist.load("sample").checksum})
        catalogue.move(run.id, State.FINISHED)
        return catalogue.get(run.id)

    return enter

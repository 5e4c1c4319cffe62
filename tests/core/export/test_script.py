"""train.py: it computes what our own loop computes, without Digit Lab."""

import json
import subprocess
import sys

import pytest

from core.data import mnist
from core.export.script import Plan, script
from core.recipes import RECIPES
from core.runs import answers
from core.training.events import Epoch
from core.training.loop import train

FEW = {"train_size": 300, "validation_size": 100, "batch_size": 128}
PLANS = {
    "mlp": ("mlp", "float32", {"epochs": 2}),
    "simple_cnn": ("simple_cnn", "bfloat16", {"epochs": 1}),
    "ink_cnn": ("ink_cnn", "bfloat16", {"epochs": 2, "reading_shift": 1}),
    "fast_cnn": ("fast_cnn", "float32", {"epochs": 2, "small_share": 0.5, "patience": 1}),
    "pytorch_example": ("pytorch_example", "float32", {"epochs": 1}),
    "lenet5": ("lenet5", "float32", {"epochs": 1, "weight_decay": 0.01}),
}
TOLD = ("train_loss", "loss", "accuracy", "best_epoch", "test_loss", "test_accuracy")
# Runs programs in turn, in one process, which has none of our modules; prints what they computed.
DRIVER = """
import json, runpy, sys
for path in sys.argv[1:]:
    names = runpy.run_path(path)
    print(json.dumps([names[name] for name in %r]), file=sys.stderr)
assert not any(name.partition(".")[0] == "core" for name in sys.modules)
"""


def plan(name: str) -> Plan:
    """Return one of PLANS on a few images of the sample."""
    recipe, precision, changes = PLANS[name]
    config = RECIPES[recipe].config.changed(FEW | {"precision": precision} | changes)
    return Plan(config, "sample", recipe, "cpu", precision)


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """What the program of each plan computes."""
    folder = tmp_path_factory.mktemp("scripts")
    paths = [folder / f"{name}.py" for name in PLANS]
    for path in paths:
        path.write_text(script(plan(path.stem)))
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", DRIVER % (TOLD,), *paths],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(PLANS, map(json.loads, done.stderr.splitlines()), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANS)
def test_it_computes_the_same_numbers(name: str, computed: dict[str, list[float]]) -> None:
    """Losses and accuracies of training, validation and test are those of our loop, bit for bit."""
    digits, config = mnist.load("sample"), plan(name).config
    epochs = [event for event in train(config, digits) if isinstance(event, Epoch)]
    last, best = epochs[-1], next(one for one in reversed(epochs) if one.is_best)
    tested = answers.metrics.score(
        answers.compute(best.checkpoint, digits.test_images), digits.test_labels
    )
    ours = [last.train_loss, last.validation_loss, last.validation_accuracy, best.epoch, *tested]
    assert dict(zip(TOLD, computed[name], strict=True)) == dict(zip(TOLD, ours, strict=True))

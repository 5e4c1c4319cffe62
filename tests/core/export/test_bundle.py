"""An export as a whole: its files, the same bytes each time, and the runs that have none."""

import io
import json
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from core.config import TrainConfig
from core.errors import RunError, StoreError
from core.export import bundle, card, report, source, weights
from core.export.terms import File
from core.runs import builtin, catalogue

from .conftest import Finished

NAMES = ["model.onnx", "model.safetensors", "predict.py", "report.html", "README.md"]


def test_folder_and_zip_hold_the_files(made: list[File], tmp_path: Path) -> None:
    """Both hold each file as it was made, and nothing else."""
    bundle.write(made, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(NAMES)
    with zipfile.ZipFile(io.BytesIO(bundle.packed(made))) as archive:
        assert archive.namelist() == NAMES
        for one in made:
            assert archive.read(one.name) == one.content
            assert (tmp_path / "out" / one.name).read_bytes() == one.content


@pytest.mark.slow
def test_command_line_writes_the_same_bytes(made: list[File], tmp_path: Path) -> None:
    """Another process exports exactly the same bytes as this one."""
    command = [sys.executable, "-m", "core", "export", "built-in", "--to", str(tmp_path / "out")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert json.loads(told) == {
        "run": "built-in",
        "folder": str(tmp_path / "out"),
        "files": [one.name for one in made],
    }
    for one in made:
        assert (tmp_path / "out" / one.name).read_bytes() == one.content, one.name


def test_no_file_tells_of_this_machine_or_its_people(
    made: list[File], finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export contains no path, author or host of this machine."""
    monkeypatch.setenv("DIGITLAB_AUTHOR", "Ada the author")
    monkeypatch.setattr(platform, "node", lambda: "a-machine")
    opened = source.of(finished(network="mlp"))
    assert (opened.run.author, opened.run.host) == ("Ada the author", "a-machine")
    secrets = [str(Path(__file__).parents[3]), "Ada the author", "a-machine"]
    parts = [weights.file(opened), card.file(opened, made), report.file(opened)]
    for one in [*made, *parts]:
        assert [text for text in secrets if text.encode() in one.content] == [], one.name


def test_card_never_has_a_persons_text_as_markdown(made: list[File], finished: Finished) -> None:
    """A run's name is quoted in YAML; the body lists the other files."""
    told = card.file(source.of(finished("# <b>: [x](y)", network="mlp")), made).content.decode()
    _, header, body = told.split("---\n", 2)
    assert yaml.safe_load(header)["pipeline_tag"] == "image-classification"
    assert "<b>" not in body and "`mlp`" in body
    assert all(f"`{name}`" in body for name in NAMES[:-1])


def test_card_says_what_it_learned_from(made: list[File], finished: Finished) -> None:
    """The numbers of training and validation images; for imported weights, the data."""
    told = [
        card.file(source.of(finished(network="mlp", train_size=size)), made).content.decode()
        for size in (0, 300, 40_000)
    ]
    every = "): all images of its training part but the 1,000 that chose the best epoch."
    assert every in told[0] and every in told[2]
    assert "): 300 images of its training part. 1,000 others chose the best epoch." in told[1]
    run = finished(network="mlp")
    catalogue.set_tags(run.id, {"imported": "weights"})
    told = [card.file(source.of(catalogue.get(run.id)), made).content.decode()]
    assert "Sample, 5,000 digits of MNIST: its weights came from elsewhere." in told[0]


def test_card_of_the_built_in_tells_its_test(made: list[File]) -> None:
    """The card of the built-in network has its accuracy, and whose digits it learned from."""
    told = made[-1].content.decode()
    [result] = yaml.safe_load(told.split("---\n")[1])["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == round(builtin.run().test_accuracy or 0, 4)
    assert "UNIPEN" in told


def test_run_without_a_network_says_so(sample_only: None, tmp_path: Path) -> None:
    """A queued run says when to export it; a folder that cannot be written is named."""
    run = catalogue.create(TrainConfig(), "sample")
    with pytest.raises(RunError, match=r"is queued\. Export it when it has ended"):
        bundle.files(run)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match=r"taken cannot be written"):
        bundle.write([], tmp_path / "taken")

"""An experiment's file: read, checked, and refused in one sentence."""

from pathlib import Path

import pytest

from core.errors import ExperimentError
from core.experiments import definition
from core.recipes import RECIPES

GOOD = """---
title: Wide or narrow
question: Does a wider network read better?
guesses:
  - Yes.
  - No.
answer: 1
settings: {network: quick_cnn, epochs: 2, learning_rate: 1e-2}
runs:
  - {name: narrow, width: 4}
  - {name: wide, width: 16}
---

# What you see

The wide one is better.

# Why

It has **more** features.
"""


def written(folder: Path, text: str, name: str = "width.md") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_file_of_text_is_an_experiment(tmp_path: Path) -> None:
    """Settings apply to every run, a run's own come first, and all machines compute alike."""
    experiment = definition.read(written(tmp_path, GOOD))
    assert experiment.slug == "width"
    assert experiment.guesses == ("Yes.", "No.") and experiment.answer == 0
    assert experiment.see == "The wide one is better."
    assert experiment.why == "It has **more** features." and experiment.read_on == ""
    narrow, wide = experiment.runs
    assert (narrow.name, wide.name) == ("narrow", "wide")
    assert wide.config == narrow.config.changed({"width": 16})
    assert (wide.config.learning_rate, wide.config.epochs) == (0.01, 2)
    assert (wide.config.device, wide.config.precision) == ("cpu", "float32")


def test_seeds_repeat_each_run(tmp_path: Path) -> None:
    """Three seeds of two runs are six runs, alike but for the seed."""
    path = written(tmp_path, GOOD.replace("answer: 1", "answer: 1\nseeds: 3"))
    runs = definition.read(path).runs
    assert [run.name for run in runs] == ["narrow"] * 3 + ["wide"] * 3
    assert [run.config.seed for run in runs] == [0, 1, 2] * 2


def test_file_of_another_system_is_read_too(tmp_path: Path) -> None:
    """Windows' line ends and byte-order mark are accepted."""
    path = tmp_path / "width.md"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert definition.read(path).title == "Wide or narrow"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("---\ntitle", "title", "it must begin with a header between two lines of ---"),
        ("question:", "question: Why: ", "the header has a mistake in line 3"),
        ("answer:", "anwser:", "no key 'anwser'. Did you mean answer?"),
        ("answer: 1\n", "", "the header lacks answer"),
        ("answer: 1", "answer: 3", "answer must be a whole number from 1 to 2, not 3"),
        ("  - No.\n", "", "guesses must be 2 to 6 sentences, not 1"),
        ("guesses:\n  - Yes.\n  - No.", "guesses: Yes", "guesses must be a list"),
        ("learning_rate:", "rate:", "the run 'narrow': There is no setting called 'rate'"),
        ("width: 16", "width: 99", "the run 'wide': width must be a whole number from 4 to 64"),
        ("width: 16", "device: cuda", "the run 'wide': device cannot be set"),
        ("width: 16", "pixels: mixed", "pixels must be in place or shuffled, not 'mixed'"),
        ("name: wide", "name: narrow", "two runs are called 'narrow'"),
        ("{name: narrow, width: 4}", "narrow", "runs must be a list, each with a name"),
        ("answer: 1", "answer: 1\nseeds: 7", "14 runs, but at most 12 are allowed"),
        ("answer: 1", "answer: 1\nshows: film", "shows must be one of curves"),
        ("# Why", "# Because", "there is no section 'Because'"),
        ("# Why\n\nIt has **more** features.", "", "the section `# Why` is missing or empty"),
        ("# What you see\n", "", "the text after the header must begin with `# What you see`"),
        ("settings: {network: quick_cnn,", "settings: [", "the header has a mistake in line"),
    ],
)
def test_mistake_gets_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """A mistake is reported with the file, the place, and how to correct it."""
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ExperimentError) as caught:
        definition.read(path)
    assert str(caught.value).startswith("width.md: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe\x00", "is not UTF-8"), (b"-" * 70_000, "larger than 64 kB"), (b"", "header")],
)
def test_file_that_is_not_text_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    """A file that is not UTF-8, or is too large, is refused before it is parsed."""
    path = tmp_path / "x.md"
    path.write_bytes(content)
    with pytest.raises(ExperimentError, match=sentence):
        definition.read(path)


def test_header_cannot_create_python_objects(tmp_path: Path) -> None:
    """A YAML tag that would call Python code is refused."""
    text = GOOD.replace("Wide or narrow", "!!python/object/apply:os.getcwd []")
    with pytest.raises(ExperimentError, match="mistake in line 2"):
        definition.read(written(tmp_path, text))


def test_ours_have_no_mistakes() -> None:
    """Every experiment that ships is read, explains itself in 80 words, and fits a class hour."""
    experiments, problems = definition.library()
    assert problems == [] and experiments
    for experiment in experiments:
        assert len(experiment.why.split()) <= 80, experiment.slug
        assert experiment.read_on, experiment.slug


def test_teachers_files_come_after_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in one of a teacher's files hides no other."""
    monkeypatch.setenv("DIGITLAB_EXPERIMENTS", str(tmp_path))
    ours = len(definition.library()[0])
    written(tmp_path, GOOD), written(tmp_path, "nothing", "broken.md")
    written(tmp_path, "How to write one", "README.md")
    experiments, problems = definition.library()
    assert len(experiments) == ours + 1 and experiments[-1].slug == "width"
    assert definition.find("width") == experiments[-1]
    assert len(problems) == 1 and problems[0].startswith("broken.md: ")


def test_name_that_is_taken_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher's file with the name of one of ours does not replace it, and is reported."""
    monkeypatch.setenv("DIGITLAB_EXPERIMENTS", str(tmp_path))
    ours = definition.library()[0][0]
    written(tmp_path, GOOD, f"{ours.slug}.md")
    assert definition.find(ours.slug) == ours
    assert "Rename the file" in definition.library()[1][0]


def test_missing_folder_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The missing folder is named, and our own experiments are still shown."""
    monkeypatch.setenv("DIGITLAB_EXPERIMENTS", str(tmp_path / "away"))
    experiments, [problem] = definition.library()
    assert experiments and "there is no such folder" in problem


def test_no_setting_is_called_like_a_key_of_a_run() -> None:
    """A run's own keys, name and pixels, are not fields of TrainConfig."""
    config = next(iter(RECIPES.values())).config.to_dict()
    assert not {"name", "pixels"} & config.keys()

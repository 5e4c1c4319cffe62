"""Experiments as text files: read and check Markdown with a YAML header.

The eight that come with Digit Lab are in `experiments/`; a teacher's own are read from the folder
that DIGITLAB_EXPERIMENTS names, and shown beside them. `experiments/README.md` says how to write
one.
"""

import difflib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import TrainConfig
from core.errors import ConfigError, ExperimentError

OURS = Path(__file__).parents[2] / "experiments"
SHOWS = ("curves", "luck", "difference", "pictures", "confidence", "evidence")
MOST_RUNS = 12
_LARGEST = 64 * 1024  # bytes of a file
_KEYS = ("title", "question", "guesses", "answer", "shows", "settings", "runs", "seeds")
_NEEDED = ("title", "question", "guesses", "answer", "runs")
_SECTIONS = ("What you see", "Why", "Read on")
# Everybody sees the same numbers, whatever their machine.
_FIXED: dict[str, Any] = {"device": "cpu", "precision": "float32"}


@dataclass(frozen=True)
class Part:
    """One run of an experiment; runs that differ in their seed alone have the same name."""

    name: str
    config: TrainConfig
    shuffled: bool = False  # whether the pixels of every image are put in one random order


@dataclass(frozen=True)
class Experiment:
    """A question, the guesses to choose from, the runs that answer it, and texts about them.

    `answer` is the index of the guess that turns out right. `shows` is a member of SHOWS. `see`,
    `why` and `read_on` are Markdown.
    """

    slug: str  # the file's name without its ending
    title: str
    question: str
    guesses: tuple[str, ...]
    answer: int
    shows: str
    runs: tuple[Part, ...]
    see: str
    why: str
    read_on: str


def library() -> tuple[list[Experiment], list[str]]:
    """Return all experiments, ours first and each folder's by file name, and the files' mistakes.

    A file with a mistake is left out. A mistake is a sentence for the user.
    """
    found: dict[str, Experiment] = {}
    problems = []
    for folder in folders():
        if not folder.is_dir():
            problems.append(
                f"DIGITLAB_EXPERIMENTS names {folder.name}, and there is no such folder. Create "
                "it, or unset the variable."
            )
            continue
        for path in sorted(folder.glob("*.md")):
            if path.name == "README.md":
                continue
            try:
                experiment = read(path)
                if experiment.slug in found:
                    raise ExperimentError(
                        f"{path.name}: another experiment has this file name. Rename the file."
                    )
                found[experiment.slug] = experiment
            except ExperimentError as error:
                problems.append(str(error))
    return list(found.values()), problems


def find(slug: str) -> Experiment:
    """Return the experiment of that name. Raises ExperimentError if its file is gone or wrong."""
    for experiment in library()[0]:
        if experiment.slug == slug:
            return experiment
    raise ExperimentError(f"There is no experiment {slug!r} any more. Choose another.")


def folders() -> list[Path]:
    """Return the folders that are searched for experiments, each once."""
    own = os.environ.get("DIGITLAB_EXPERIMENTS")
    return list(dict.fromkeys([OURS, *([Path(own).resolve()] if own else [])]))


def read(path: Path) -> Experiment:
    """Read an experiment's file. Raises ExperimentError, with the file, the place and the rule."""
    try:
        return _experiment(path.stem, _text(path))
    except (ExperimentError, ConfigError) as error:
        raise ExperimentError(f"{path.name}: {error}") from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ExperimentError(f"the file cannot be read: {error.strerror}.") from error
    if len(content) > _LARGEST:
        raise ExperimentError(f"the file is larger than {_LARGEST // 1024} kB. Shorten it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExperimentError("the file is not UTF-8 text. Save it as UTF-8.") from error


def _experiment(slug: str, text: str) -> Experiment:
    parts = re.split(r"^---[ \t]*$", text.replace("\r\n", "\n"), maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise ExperimentError(
            "it must begin with a header between two lines of ---, and the text must follow it."
        )
    header, sections = _header(parts[1]), _sections(parts[2])
    guesses = _texts(header["guesses"], "guesses")
    if not 2 <= len(guesses) <= 6:
        raise ExperimentError(f"guesses must be 2 to 6 sentences, not {len(guesses)}.")
    answer = _whole(header["answer"], "answer", 1, len(guesses))
    shows = header.get("shows", "curves")
    if shows not in SHOWS:
        raise ExperimentError(f"shows must be one of {', '.join(SHOWS)}, not {shows!r}.")
    return Experiment(
        slug=slug,
        title=_words(header["title"], "title"),
        question=_words(header["question"], "question"),
        guesses=guesses,
        answer=answer - 1,
        shows=shows,
        runs=_runs(header),
        see=sections["What you see"],
        why=sections["Why"],
        read_on=sections.get("Read on", ""),
    )


def _header(text: str) -> dict[str, Any]:
    import yaml

    try:
        header = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise ExperimentError(
            f"the header has a mistake{line}: {problem}. Text with a colon in it needs quotes."
        ) from error
    if not isinstance(header, dict):
        raise ExperimentError("the header must be lines of `key: value`.")
    for key in header:
        if key not in _KEYS:
            raise ExperimentError(f"the header has no key {key!r}. {_nearest(str(key), _KEYS)}")
    for key in _NEEDED:
        if key not in header:
            raise ExperimentError(f"the header lacks {key}. Add a line that begins with `{key}:`.")
    return header


def _sections(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    titles = re.split(r"^# +(.+?)[ \t]*$", body, flags=re.MULTILINE)
    if titles[0].strip():
        raise ExperimentError(f"the text after the header must begin with `# {_SECTIONS[0]}`.")
    for title, text in zip(titles[1::2], titles[2::2], strict=True):
        if title not in _SECTIONS:
            raise ExperimentError(f"there is no section {title!r}. {_nearest(title, _SECTIONS)}")
        found[title] = text.strip()
    for title in _SECTIONS[:2]:
        if not found.get(title):
            raise ExperimentError(f"the section `# {title}` is missing or empty. Write it.")
    return found


def _runs(header: dict[str, Any]) -> tuple[Part, ...]:
    rows, shared = header["runs"], header.get("settings", {})
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ExperimentError("runs must be a list, each with a name and what it sets.")
    if not isinstance(shared, dict):
        raise ExperimentError("settings must be lines of `setting: value`.")
    seeds = _whole(header.get("seeds", 1), "seeds", 1, MOST_RUNS)
    if len(rows) * seeds > MOST_RUNS:
        raise ExperimentError(
            f"{len(rows)} runs with {seeds} seeds each make {len(rows) * seeds} runs, but at most "
            f"{MOST_RUNS} are allowed. Use fewer."
        )
    parts = [part for row in rows for part in _seeded(row, shared, seeds)]
    names = [_words(row.get("name"), "the name of a run") for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise ExperimentError(f"two runs are called {name!r}. Give each its own name.")
    return tuple(parts)


def _seeded(row: dict[str, Any], shared: dict[str, Any], seeds: int) -> list[Part]:
    """Return a run of the header once for each of its seeds."""
    name = _words(row.get("name"), "the name of a run")
    pixels = row.get("pixels", "in place")
    if pixels not in ("in place", "shuffled"):
        raise ExperimentError(
            f"the run {name!r}: pixels must be in place or shuffled, not {pixels!r}."
        )
    own = {key: value for key, value in row.items() if key not in ("name", "pixels")}
    fixed = [key for key in _FIXED if key in own or key in shared]
    if fixed:
        raise ExperimentError(
            f"the run {name!r}: {fixed[0]} cannot be set. Experiments compute on the processor in "
            "float32, so that everybody sees the same."
        )
    try:
        config = TrainConfig(**_FIXED).changed({**shared, **own})
        configs = [config.changed({"seed": config.seed + number}) for number in range(seeds)]
    except ConfigError as error:
        raise ExperimentError(f"the run {name!r}: {error}") from error
    return [Part(name, config, pixels == "shuffled") for config in configs]


def _texts(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ExperimentError(f"{key} must be a list: one a line, each after a dash.")
    return tuple(_words(text, key) for text in value)


def _words(value: Any, key: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ExperimentError(
            f"{key} must be text, not {value!r}. Text with a colon in it needs quotes."
        )
    words = " ".join(str(value).split())
    if not words:
        raise ExperimentError(f"{key} is empty. Write it.")
    return words


def _whole(value: Any, key: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ExperimentError(f"{key} must be a whole number from {low} to {high}, not {value!r}.")
    return value


def _nearest(word: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."

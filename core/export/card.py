"""The model card: README.md in the form that model hubs read, YAML and then Markdown."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from core.data.digits import SOURCES, TEST_IMAGES
from core.export.source import Source
from core.export.terms import File
from core.runs import builtin
from core.runs.compare import test_interval
from core.runs.formatting import counted, interval, percent
from core.runs.run import Run

NAME = "README.md"
_TAGS = ("mnist", "handwritten-digits", "onnx", "safetensors", "digit-lab")


def file(source: Source, others: Sequence[File]) -> File:
    """Return the card, which lists the other files of the export."""
    # The run's name is a person's text: it is quoted in YAML, and never put into Markdown.
    header = yaml.safe_dump(_header(source.run), sort_keys=False, allow_unicode=True)
    body = "\n\n".join(_paragraphs(source, others))
    return File(
        NAME,
        f"---\n{header}---\n\n{body}\n".encode(),
        "a model card: its training, accuracy, limits",
    )


def _header(run: Run) -> dict[str, Any]:
    header: dict[str, Any] = {
        "library_name": "onnx",
        "pipeline_tag": "image-classification",
        "tags": list(_TAGS),
        "datasets": ["ylecun/mnist"],
        "metrics": ["accuracy"],
    }
    if run.test_accuracy is not None:
        name = SOURCES.get(run.data, run.data)
        header["model-index"] = [
            {
                "name": run.name,
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {"name": name, "type": "ylecun/mnist", "split": "test"},
                        "metrics": [{"type": "accuracy", "value": round(run.test_accuracy, 4)}],
                    }
                ],
            }
        ]
    return header


def _paragraphs(source: Source, others: Sequence[File]) -> Iterator[str]:
    run, config = source.run, source.reader.config
    yield "# A network that reads handwritten digits"
    yield (
        f"`{config.network}`, {run.parameters or 0:,} parameters, trained with "
        f"{'Digit Lab' if run.has_settings else 'another program'}. From a picture of one digit, "
        "28 × 28 pixels, white ink on black, it computes the probability of each of the ten digits."
    )
    yield "\n".join(f"- `{one.name}`: {one.about}" for one in others)
    yield "## Use"
    yield (
        "    pip install numpy pillow scipy onnxruntime\n    python predict.py PICTURE …"
        "\n\n"
        "finds the digits in pictures, prepares them as MNIST's were, and prints a line of JSON "
        "for each. `model.onnx` takes `pixels`, (N, 28, 28) float32 from 0 (paper) to 1 (ink), the "
        "digit at most 20 pixels high and wide with its center of mass in the middle, and returns "
        "`probabilities`, (N, 10) float32. Each is a mean over five versions of the digit: "
        "unchanged, slanted left and right, thicker and thinner."
    )
    if run.is_builtin:  # its maker recorded more about it than a run does
        yield builtin.CARD.read_text(encoding="utf-8").strip().replace("# ", "## ", 1)
    else:
        yield "## What it learned from"
        yield _learned(run)
        yield "## How well it reads"
        yield "\n".join(_results(source))
    yield "## Limits"
    yield (
        "It has ten classes and nothing else: a letter or a scribble is read as the digit that it "
        "looks most like. MNIST's writers were Americans; handwriting unlike theirs, such as a "
        "barred 7 or a 1 with a flag, is misread more often. Digits that touch count as one. Its "
        "confidence was fitted on images like those that it learned from, and says little of "
        "others. Nothing that matters should depend on it without a human who checks."
    )
    yield "## Settings"
    settings = [
        (name, value)
        for name, value in config.to_dict().items()
        if run.has_settings or run.knows(name)
    ]
    yield "\n".join(
        [
            "| setting | value |",
            "| --- | --- |",
            *(f"| `{key}` | {value} |" for key, value in settings),
        ]
    )


def _learned(run: Run) -> str:
    if not run.has_settings:
        source = SOURCES.get(run.data, run.data)
        return f"{source[:1].upper()}{source[1:]}: its weights came from elsewhere."
    text = SOURCES.get(run.data, run.data)
    if run.data_checksum:
        text += f" (MD5 of images and labels: {run.data_checksum})"
    if run.sizes:
        learned, chose = run.sizes
        if run.learns_from_all:
            text += f": all images of its training part but the {chose:,} that"
        else:
            text += f": {learned:,} images of its training part. {chose:,} others"
        text += " chose the best epoch."
    if run.seen:
        before = " and ".join(SOURCES.get(one, one) for one in run.seen)
        text += f" It goes on from a network that learned from {before}."
    if run.taught_digits:
        text += f" It was then taught {counted(run.taught_digits, 'digit')} drawn by hand."
    return text


def _results(source: Source) -> Iterator[str]:
    run, calibration = source.run, source.reader.calibration
    if run.validation_accuracy is not None:
        yield (
            f"- Validation: {percent(run.validation_accuracy)}. These images chose the best epoch, "
            "so this is a little too high."
        )
    low, high = test_interval(run)
    if run.test_accuracy is not None and low is not None and high is not None:
        yield (
            f"- Test: {percent(run.test_accuracy)} of {TEST_IMAGES[run.data]:,} images that took "
            f"no part in training (95 % interval: {interval(low, high)}), each read once, "
            "unchanged."
        )
    else:
        yield ("- Test: none. It was not tested, or it may have learned from the test images.")
    yield (
        f"- Its probabilities are calibrated with the temperature {calibration.temperature:.3f}. "
        + (
            "No confidence proved high enough to call an answer sure."
            if calibration.sure_from is None
            else f"An answer counts as sure from {calibration.sure_from:.4f}: of such answers, "
            "at most 0.2 % were wrong on validation."
        )
    )

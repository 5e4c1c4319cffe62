"""`report.html`: one run's results and settings, on one page that can be sent and printed."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from core.data.digits import SOURCES
from core.data.measures import measures
from core.data.mnist import load
from core.errors import UserError
from core.evaluation import calibration, metrics, slices
from core.export import page
from core.export.page import Html, Number
from core.export.source import Source
from core.export.svg import drawn
from core.export.terms import File
from core.figures.curves import training_curves
from core.figures.digits import reliability
from core.figures.slices import NAMES, called
from core.recipes import RECIPES
from core.runs import advice, answers, formatting
from core.runs.answers import Result
from core.runs.history import History, read_history
from core.runs.run import Run

NAME = "report.html"
MISTAKES = 40  # of the surest, that are shown
SPLITS = {  # what a report may be of, and what it says of these images
    "test": "test images, which took no part in its training and were read once, at its end",
    "validation": "validation images, which chose its best epoch: the accuracy is a little too "
    "high",
    answers.KNOWN: "images of the test set, some of which it may have learned from",
}


def file(source: Source) -> File:
    """Return the report for an export: without names, machines or people's notes."""
    run = replace(source.run, author="", host="", note="")
    split, result = "test", None
    with suppress(UserError):  # its data are not here
        digits = load(answers.source_for(run))
        for split in answers.splits(run, digits)[:1]:
            result = answers.of(run, split, digits)
    text = report(run, read_history(run), split, result)
    return File(NAME, text.encode(), "curves, confusion, mistakes, weaknesses, settings")


def report(run: Run, history: History, split: str, result: Result | None) -> str:
    """Return the report of a run, with its answers on a split; None if it has none."""
    return page.page(run.name, _parts(run, history, split, result))


def _parts(run: Run, history: History, split: str, result: Result | None) -> Iterator[str]:
    when = time.strftime("%d %b %Y, %H:%M UTC", time.gmtime(run.started))
    by = f" by {run.author}" if run.author else ""
    state = f"{run.state}: {run.reason}" if run.reason else str(run.state)
    line = f"A run of Digit Lab, begun {when}{by}; {state}." if run.started else "Digit Lab"
    yield page.paragraph(line, quiet=True)
    if run.note:
        yield page.paragraph(run.note)
    if found := advice.advice(run, history):
        yield page.paragraph(found.meaning)
    judged = metrics.report(result.probabilities, result.labels) if result else None
    yield page.numbers(_numbers(run, split, judged))
    if run.warning:
        yield page.paragraph(page.bold("Warning. "), run.warning)
    if len(history.epochs):
        yield page.heading("How it learned")
        curves = (training_curves(history, name, run.epochs) for name in ("accuracy", "loss"))
        yield page.beside(map(drawn, curves))
    if result and judged:
        yield from _reading(run, split, result, judged)
    else:
        yield page.paragraph("Its answers are not here: the images that it read are missing.")
    yield from _origin(run)


def _numbers(run: Run, split: str, judged: metrics.Report | None) -> Iterator[Number]:
    if judged:
        interval = f"95 % interval {formatting.interval(*judged.interval)}"
        yield Number(f"Accuracy, {split}", formatting.percent(judged.accuracy), interval)
        wrong = round(judged.count * (1 - judged.accuracy))
        yield Number("Mistakes", f"{wrong:,}", f"of {judged.count:,} images")
        yield Number("Loss", f"{judged.loss:.4f}", "nats, lower is better")
    if split != "validation":
        remark = f"best epoch: {run.best_epoch} of {run.epochs}" if run.best_epoch else ""
        yield Number("Accuracy, validation", formatting.percent(run.validation_accuracy), remark)
    yield Number("Parameters", formatting.count(run.parameters), run.network)
    if run.has_settings:
        epochs = "1 epoch" if run.epochs == 1 else f"{run.epochs} epochs"
        yield Number("Training", formatting.duration(run.train_seconds), epochs)


def _reading(run: Run, split: str, result: Result, judged: metrics.Report) -> Iterator[str]:
    """Yield the run's right and wrong answers, and how reliable its confidence is."""
    yield page.heading("What it reads as what")
    yield page.paragraph(f"{judged.count:,} {SPLITS[split]}.")
    yield page.matrix(judged.matrix)
    yield page.paragraph("Rows: the true digit. Columns: the answer.", quiet=True)
    calibrated = run.calibration.apply(result.probabilities)
    rows = metrics.answers(calibrated, result.labels, result.indices)
    wrong = rows[rows["truth"] != rows["answer"]].sort_values(
        "confidence", ascending=False, kind="stable"
    )
    if len(wrong):
        shown = wrong.head(MISTAKES)
        yield page.heading("Its mistakes, most confident first")
        columns = (shown[name] for name in ("truth", "answer", "confidence", "index"))
        captions = [
            f"{truth} → {answer}, {min(sure, 0.999):.1%} #{number}"
            for truth, answer, sure, number in zip(*columns, strict=True)
        ]
        yield page.digits(result.images[shown.index], captions)
        if len(wrong) > MISTAKES:
            yield page.paragraph(f"{MISTAKES} of {len(wrong):,}.", quiet=True)
    yield page.heading("By digit")
    yield page.table(
        ("digit", "precision", "recall", "F1", "images"),
        (
            [str(digit), *map(formatting.percent, shares), f"{support:,}"]
            for digit, *shares, support in judged.classes.itertuples(index=False)
        ),
        is_short=True,
    )
    yield from _weakness(result)
    yield from _confidence(run, result)


def _weakness(result: Result) -> Iterator[str]:
    """Yield the accuracy by how the digits were written, if there are enough digits."""
    if len(result.labels) < slices.LEAST:
        return
    yield page.heading("Where it is weak")
    measured = measures(result.images)
    tables = {
        name: slices.accuracies(measured[name], result.labels, result.right) for name in NAMES
    }
    if finding := slices.weakest(tables):
        yield page.paragraph(
            f"It is weakest on {called(finding)}: {formatting.percent(finding.here)} right, "
            f"against {formatting.percent(finding.there)} of the others."
        )
    else:
        yield page.paragraph("It is about equally good everywhere: the differences may be chance.")
    rows = []
    for name, (title, lowest, highest, form) in NAMES.items():
        cells = (
            page.below(
                formatting.percent(row.accuracy),
                formatting.interval(row.low, row.high),
                form.format(row.mean).replace("-", "−"),
            )
            for row in tables[name].itertuples()
        )
        rows.append([page.below(title, f"{lowest} to {highest}"), *cells])
    fifths = ("", "first fifth", "second", "third", "fourth", "last fifth")
    yield page.table(fifths, rows, is_short=True)
    yield page.paragraph(
        "Accuracy in fifths of the images, with its 95 % interval and the fifth's mean below. The "
        "fifths are taken within each digit, so that all hold the same digits.",
        quiet=True,
    )


def _confidence(run: Run, result: Result) -> Iterator[str]:
    yield page.heading("Can its confidence be trusted?")
    both = result.probabilities, run.calibration.apply(result.probabilities)
    before, after = (calibration.expected_error(one, result.labels) for one in both)
    yield page.beside(
        [
            drawn(reliability(*(calibration.reliability(one, result.labels) for one in both))),
            page.paragraph(
                f"Expected calibration error: {formatting.percent(before)}, and "
                f"{formatting.percent(after)} after calibration with a temperature of "
                f"{run.calibration.temperature:.2f}. "
                "Calibration changes the confidence, never the answer."
            ),
        ]
    )


def _origin(run: Run) -> Iterator[str]:
    """Yield the settings beside the recipe's, and the data, machine and versions."""
    values = run.config.to_dict()
    recipe = RECIPES.get(run.recipe)
    theirs = recipe.config.to_dict() if recipe else values
    yield page.heading("Settings")
    if not run.has_settings:
        yield page.paragraph("Its weights came from another program; other settings are unknown.")
    if recipe:
        yield page.paragraph(f"From the recipe {recipe.name}; changed settings are marked.")
    yield page.table(
        ("setting", "value", "recipe") if recipe else ("setting", "value"),
        (
            [name, _marked(value, theirs[name]), *([_shown(theirs[name])] * bool(recipe))]
            for name, value in values.items()
            if run.knows(name)
        ),
    )
    yield page.heading("What it ran on")
    facts = {
        "data": SOURCES.get(run.data, run.data),
        "images learned from": f"{run.sizes[0]:,}" if run.sizes and run.has_settings else "",
        "images for validation": f"{run.sizes[1]:,}" if run.sizes and run.has_settings else "",
        "checksum of the data (MD5)": run.data_checksum,
        "device": run.device,
        "precision": run.precision,
        "machine": run.host,
        "versions": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
        "commit": run.commit,
        "fine-tuned from": run.taught_from,
        "run": run.id,
    }
    yield page.table(("", ""), ([name, value] for name, value in facts.items() if value))


def _marked(value: object, recipes: object) -> str:
    shown = _shown(value)
    return shown if value == recipes else Html(f'<span class="changed">{page.text(shown)}</span>')


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) or "–"

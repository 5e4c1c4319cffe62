"""A report of what the Compare page shows: settings and their seeds, curves, verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.evaluation import significance
from core.export import page
from core.export.svg import drawn
from core.figures.curves import accuracy_against, setting_curves
from core.runs import compare, formatting, settings, verdicts
from core.runs.answers import Result
from core.runs.run import Run
from core.runs.settings import Setting

if TYPE_CHECKING:  # pandas takes 0.4 s
    import pandas as pd


NAME = "comparison.html"


@dataclass(frozen=True)
class View:
    """What the Compare page shows: the settings, and the choices made there.

    `epochs` are `History.epochs` by the run's id; `metric` is a key of RUN_METRICS; `baseline` is a
    setting's key; `tested` are answers to the test images by the run's id, if two networks are
    compared and have them.
    """

    groups: Sequence[Setting]
    epochs: "Mapping[str, pd.DataFrame]"
    metric: str
    by_seconds: bool
    baseline: str
    tested: Mapping[str, Result]

    @property
    def runs(self) -> list[Run]:
        """All runs, setting by setting."""
        return [run for one in self.groups for run in one.runs]


def report(view: View) -> str:
    """Return the report, one HTML page."""
    labels = settings.labels(view.groups)
    return page.page("Comparison of " + ", ".join(labels), _parts(view, labels))


def _parts(view: View, labels: Sequence[str]) -> Iterator[str]:
    found = view.runs
    seeds = "one run" if len(found) == 1 else f"{len(found)} runs"
    yield page.paragraph(f"{seeds} of Digit Lab, by setting.", quiet=True)
    yield from _results(view, labels)
    yield page.heading("Curves")
    histories = {
        label: [view.epochs[run.id] for run in one.seeds]
        for label, one in zip(labels, view.groups, strict=True)
    }
    yield drawn(setting_curves(histories, view.metric, view.by_seconds))
    if any(len(one.seeds) > 1 for one in view.groups):
        yield page.paragraph("Bands: one standard deviation over seeds each way.", quiet=True)
    if len(found) == 2:
        yield from _networks(view, found[0], found[1])
    if len(view.groups) > 1:
        yield from _differences(view, labels)
    table = compare.table(found)
    if table["test_accuracy"].notna().any():
        names = [label for label, one in zip(labels, view.groups, strict=True) for _ in one.runs]
        places = [place for place, one in enumerate(view.groups) for _ in one.runs]
        costs = ("train_seconds", "parameters")
        yield page.heading("What it costs")
        yield page.beside(drawn(accuracy_against(table, names, cost, places)) for cost in costs)
    yield from _runs(view)


def _results(view: View, labels: Sequence[str]) -> Iterator[str]:
    """Yield a table of the settings, and Welch's test of each against the baseline."""
    by_key = dict(zip((one.key for one in view.groups), labels, strict=True))
    baseline = next((one for one in view.groups if one.key == view.baseline), view.groups[0])
    same = len({run.data_checksum for run in view.runs if run.test_accuracy is not None}) <= 1
    found = {
        one.key: significance.welch(one.test_accuracies, baseline.test_accuracies)
        for one in view.groups
        if one is not baseline and same
    }
    rows = [
        verdicts.row(by_key[one.key], one, found.get(one.key), one is baseline)
        for one in view.groups
    ]
    yield page.heading("Which setting is better?")
    yield page.table(list(rows[0]), (list(row.values()) for row in rows))
    if not same:
        yield page.paragraph("The runs were tested on different images: no test compares them.")
    elif max(len(one.test_accuracies) for one in view.groups) > 1:
        for key, seeds in found.items():
            sentence, rest = verdicts.of_settings(seeds, by_key[key], by_key[baseline.key])
            yield page.paragraph(page.bold(sentence), rest)
        if found:
            yield page.paragraph(verdicts.WELCH, quiet=True)


def _networks(view: View, first: Run, second: Run) -> Iterator[str]:
    """Yield McNemar's test of two networks, if both have answers to the same test images."""
    if first.id not in view.tested or second.id not in view.tested:
        return
    a, b = view.tested[first.id], view.tested[second.id]
    if first.data_checksum != second.data_checksum or len(a.labels) != len(b.labels):
        return
    paired = significance.mcnemar(a.right, b.right)
    sentence, rest = verdicts.of_networks(paired, *compare.labels([first, second]))
    yield page.heading("Is one network better?")
    yield page.paragraph(page.bold(sentence), rest)
    yield page.paragraph(verdicts.MCNEMAR, quiet=True)


def _differences(view: View, labels: Sequence[str]) -> Iterator[str]:
    yield page.heading("What differs")
    groups = {label: one.runs for label, one in zip(labels, view.groups, strict=True)}
    rows = compare.differing(groups)
    if not rows:
        yield page.paragraph("Nothing but the seed, at most.")
        return
    yield page.table(
        ["setting", *groups],
        ([name, *(", ".join(map(_text, one)) for one in values)] for name, values in rows.items()),
    )


def _text(value: Any) -> str:
    """Return a setting's value as text."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"


def _runs(view: View) -> Iterator[str]:
    """Yield a table of the runs."""
    yield page.heading("The runs")
    columns = ("run", "seed", "test", "validation", "training", "parameters", "author", "note")
    yield page.table(
        columns,
        (
            [
                label,
                str(run.config.seed),
                formatting.percent(run.test_accuracy),
                formatting.percent(run.validation_accuracy),
                formatting.duration(run.train_seconds),
                formatting.count(run.parameters),
                run.author,
                run.note,
            ]
            for label, run in zip(compare.labels(view.runs), view.runs, strict=True)
        ),
    )

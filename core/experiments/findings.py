"""Findings from the runs of an experiment, in the form that its `shows` names."""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from core.data.digits import Digits
from core.experiments import confidence, evidence, pictures
from core.experiments.course import Bars, Dots, Finding, Tiles
from core.experiments.definition import Experiment
from core.experiments.trained import Trained

_SHOWN = 4  # digits before and after shuffling
_CHOSEN_ON = slice(100, 200)  # the test digits on which `luck` chooses: as hard as the others


def of(experiment: Experiment, done: list[Trained], digits: Digits) -> list[Finding]:
    """Return the findings from the runs that are done, in the order to show them."""
    return _SHOWS[experiment.shows](done, digits) if done else []


def _curves(done: list[Trained], digits: Digits) -> list[Finding]:
    """Return mistakes and inputs if pixels were shuffled; otherwise nothing but the curves."""
    found = [run for run in done if run.part.shuffled]
    if not found:
        return []
    plain, mixed = digits.train_images[:_SHOWN], found[0].digits.train_images[:_SHOWN]
    labels = [str(label) for label in digits.train_labels[:_SHOWN]]
    captions = [*labels, *(f"{label}, shuffled" for label in labels)]
    images = np.concatenate([plain, mixed]).tolist()
    return [
        Bars(
            "Validation images misread",
            [run.part.name for run in done],
            {"": [1 - run.validation for run in done]},
        ),
        Tiles("What the networks are given", images, captions, _SHOWN),
    ]


def _luck(done: list[Trained], digits: Digits) -> list[Finding]:
    """Return each run's accuracy on a few test digits, marking the best, and on all others."""
    fresh = np.ones(len(digits.test_labels), bool)
    fresh[_CHOSEN_ON] = False
    on_few, on_fresh = (
        [run.accuracy(digits.test_images[part], digits.test_labels[part]) for run in done]
        for part in (~fresh, fresh)
    )
    best = int(np.argmax(on_few))
    title = (
        f"The best of {len(done)}: {on_few[best]:.1%} of the digits it was chosen on, "
        f"{on_fresh[best]:.1%} of fresh ones"
    )
    series = {
        f"the {(~fresh).sum()} digits chosen on": on_few,
        f"{fresh.sum()} fresh digits": on_fresh,
    }
    return [Dots("luck", title.replace("%", " %"), series, best)]


def _difference(done: list[Trained], digits: Digits) -> list[Finding]:
    """Return the accuracies of two settings with several seeds, and the p-value.

    The p-value is from the exact permutation test: of all ways to divide the accuracies into two
    groups of these sizes, the share whose means differ by at least as much (Fisher, 1935).
    """
    series: dict[str, list[float]] = {}
    for run in done:
        series.setdefault(run.part.name, []).append(
            run.accuracy(digits.test_images, digits.test_labels)
        )
    title = "Test digits read correctly, one dot a seed; the line is the mean"
    if len(series) == 2:
        first, second = (np.array(values) for values in series.values())
        values = np.concatenate([first, second])
        difference = abs(first.mean() - second.mean())
        deals = [list(deal) for deal in combinations(range(len(values)), len(first))]
        as_large = [
            abs(values[deal].mean() - np.delete(values, deal).mean()) >= difference - 1e-12
            for deal in deals
        ]
        title = (
            f"The means differ by {100 * difference:.2f} points. Of all {len(deals)} ways to deal "
            f"these numbers into two groups, {np.mean(as_large):.0%} differ as much."
        ).replace("%", " %")
    return [Dots("difference", title, series)]


# A function for each of definition.SHOWS.
_SHOWS: dict[str, Callable[[list[Trained], Digits], list[Finding]]] = {
    "curves": _curves,
    "luck": _luck,
    "difference": _difference,
    "pictures": lambda done, digits: pictures.findings(done[0], digits),
    "confidence": lambda done, digits: confidence.findings(done[0], digits),
    "evidence": lambda done, digits: evidence.findings(done[0], digits),
}

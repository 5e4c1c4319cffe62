"""Reports: one page each, whose numbers are the runs', and in which people's text stays text."""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest

from core.config import TrainConfig
from core.data import mnist
from core.data.measures import measures
from core.evaluation import metrics, slices
from core.export import comparison, report
from core.export.comparison import View
from core.runs import answers, catalogue, formatting, settings, verdicts
from core.runs.history import read_history
from core.runs.run import Run, State

HOSTILE = '<img src=x onerror="alert(1)"> & <b>'
Answered = Callable[..., Run]  # (name, wrong answers of 1,000, **settings)


@pytest.fixture
def answered(sample_only: None) -> Answered:
    """A function that makes a finished run with answers, of which `wrong` are wrong."""

    def make(name: str, wrong: int, **changes: object) -> Run:
        digits = mnist.load("sample")
        run = catalogue.create(TrainConfig().changed(changes), "sample", "fast_cnn", name)
        tags = {"state": State.RUNNING, "data_checksum": digits.checksum, "host": HOSTILE}
        catalogue.set_tags(run.id, tags)
        accuracy = 1 - wrong / 1_000
        points = [("epochs", 2, 2), ("best_epoch", 2, 2), ("best_validation_accuracy", 0.9, 2)]
        for epoch in (1, 2):
            for split in ("train", "validation"):
                points.append((f"epoch/{split}_accuracy", 0.8 + epoch / 20, epoch))
                points.append((f"epoch/{split}_loss", 1 / epoch, epoch))
            points.append(("epoch/total_seconds", 2.5 * epoch, epoch))
        points += [("test_accuracy", accuracy, 2), ("train_seconds", 5.0, 2)]
        catalogue.log(run.id, [*points, ("parameters", 61_306, 0)])
        given = digits.test_labels.astype(int)
        given[:wrong] = (given[:wrong] + 1) % 10
        probabilities = np.full((1_000, 10), 0.02, np.float32)
        probabilities[np.arange(1_000), given] = 0.82
        run.folder.mkdir(parents=True, exist_ok=True)
        answers.save(run.folder, "test", probabilities)
        catalogue.set_tags(run.id, {"state": State.FINISHED, "mlflow.note.content": HOSTILE})
        return catalogue.get(run.id)

    return make


class Markup(HTMLParser):
    """The tags, addresses and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def safe(page: str, images: int) -> None:
    """Check that a page has no external resources, no scripts, and no markup from users' text."""
    markup = Markup(page)
    assert not {"script", "link", "iframe", "object"} & set(markup.tags)
    assert not {name for name in markup.names if name.startswith("on")}
    assert len(markup.addresses) == markup.tags.count("img") == images
    assert all(address.startswith("data:image/png;base64,") for address in markup.addresses)
    assert not re.search(r"https?:|//|url\(|@import", re.sub(r"base64,[\w+/=]+", "", page))


def of(run: Run) -> str:
    """Return the report of a run on its test images."""
    result = answers.of(run, "test", mnist.load("sample"))
    return report.report(run, read_history(run), "test", result)


def unbroken(number: str) -> str:
    """Return a number that stays on one line, on a phone too."""
    return number.replace(" ", "\xa0")


def test_a_report_has_the_runs_numbers(answered: Answered) -> None:
    """Accuracy with its interval, loss, every count of the confusion, and the settings."""
    run = answered("mine", 37, epochs=9)
    page = of(run)
    result = answers.of(run, "test", mnist.load("sample"))
    judged = metrics.report(result.probabilities, result.labels)
    for told in ("96.30 %", formatting.interval(*judged.interval), f"{judged.loss:.4f}", "61,306"):
        assert told in page
    cells = re.findall(r"<td[^>]*>(\d*)</td>", page[page.index('class="matrix"') :])[:100]
    assert [int(cell or 0) for cell in cells] == judged.matrix.ravel().tolist()
    assert '<td>epochs</td><td><span class="changed">9</span></td><td>4</td>' in page
    assert page.count("→") == 37 * 2  # each mistake's caption, below it and for screen readers


def test_a_report_says_where_the_run_is_weak(answered: Answered) -> None:
    """Each fifth's accuracy is shown, and a sentence says that thin digits are misread."""
    run = answered("mine", 100)
    result = answers.of(run, "test", mnist.load("sample"))
    measured = measures(result.images)
    thinnest = np.argsort(measured["thickness"].to_numpy())[:100]
    result.probabilities[:] = 0.02
    result.probabilities[np.arange(1_000), result.labels] = 0.82
    result.probabilities[thinnest] = np.roll(result.probabilities[thinnest], 1, axis=1)
    page = report.report(run, read_history(run), "test", result)
    right = result.probabilities.argmax(1) == result.labels
    for name in measured:
        for fifth in slices.accuracies(measured[name], result.labels, right).itertuples():
            interval = unbroken(formatting.interval(fifth.low, fifth.high))
            accuracy = unbroken(formatting.percent(fifth.accuracy))
            told = f'{accuracy}<br><span class="quiet">{interval}<br>'
            assert f"<td>{told}" in page
    assert "It is weakest on the thinnest digits" in page
    assert page.count('<table class="short">') == 2  # on a phone, its numbers are not broken
    assert "about equally good everywhere" in of(answered("other", 0))


def test_a_report_is_one_safe_page(answered: Answered) -> None:
    """A hostile name, note and host stand there as text; nothing is fetched; no script runs."""
    page = of(answered(HOSTILE, 60))
    safe(page, images=report.MISTAKES)
    assert page.count(escape(HOSTILE)) >= 4
    assert len(page) < 100_000


def test_the_same_run_gives_the_same_report(answered: Answered) -> None:
    """Nothing in it depends on when it is made."""
    run = answered("mine", 5)
    assert of(run) == of(run)


def test_a_report_without_answers_says_so(answered: Answered) -> None:
    """If the images are missing, settings and curves are still shown."""
    run = answered("mine", 5)
    page = report.report(run, read_history(run), "test", None)
    assert "the images that it read are missing" in page and "How it learned" in page


def view(groups: list[settings.Setting], **others: object) -> View:
    """Return a view of settings, with the curves of validation accuracy."""
    runs = [run for one in groups for run in one.runs]
    epochs = {run.id: read_history(run).epochs for run in runs}
    options = {"metric": "validation_accuracy", "by_seconds": False, "baseline": "", "tested": {}}
    return View(groups=groups, epochs=epochs, **(options | others))  # type: ignore[arg-type]


def test_a_comparison_has_what_the_page_has(answered: Answered) -> None:
    """Mean ± deviation and n by setting, the difference from the baseline, the verdict, a band."""
    runs = [answered(f"good-{n}", 30 + n, seed=n) for n in range(3)]
    runs += [answered(f"poor-{n}", 60 + n, seed=n, epochs=9) for n in range(3)]
    groups = settings.grouped(runs)
    page = comparison.report(view(groups, baseline=groups[1].key))
    assert f"<td>good</td><td>{unbroken('96.90 ± 0.10 %')}</td>" in page
    assert "<td>baseline</td>" in page and "<td>+3.00</td>" in page
    assert "<b>good is significantly better than poor</b> (p " in page
    assert verdicts.WELCH.replace("'", "&#x27;") in page
    assert page.count('opacity="0.2"') == 2 and "good, mean of 3" in page
    assert "<td>epochs</td><td>4</td><td>9</td>" in page


def test_a_comparison_of_two_networks_has_their_verdict(answered: Answered) -> None:
    """McNemar's test is reported as on the page, and hostile names are shown as text."""
    runs = [answered(HOSTILE, 10), answered("other", 60, epochs=9)]
    digits = mnist.load("sample")
    tested = {run.id: answers.of(run, "test", digits) for run in runs}
    page = comparison.report(view(settings.grouped(runs), tested=tested))
    safe(page, images=0)
    assert f"<b>{escape(HOSTILE)} is significantly better than other</b> (p &lt; 0.0001)" in page
    assert "alone gets 50 test images right, other alone 0." in page


@pytest.mark.parametrize("metric", ["validation_loss", "train_accuracy"])
def test_a_comparison_shows_the_curve_that_the_page_shows(answered: Answered, metric: str) -> None:
    """The metric and its axis are the view's."""
    page = comparison.report(view(settings.grouped([answered("a", 1)]), metric=metric))
    assert {"validation_loss": "Validation loss", "train_accuracy": "Training accuracy"}[
        metric
    ] in page

"""The Compare page with runs of several seeds, and its view in the address."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.data import mnist
from core.runs import answers, catalogue, compare
from core.runs.run import Run, State
from tests.pages.elements import only, table_with

APP = str(Path(__file__).parents[2] / "ui" / "app.py")

pytestmark = pytest.mark.usefixtures("whole_app", "sample_only")


def finished(name: str, accuracy: float, **changes: object) -> Run:
    """Return a finished run of one epoch with this test and validation accuracy."""
    config = TrainConfig().changed(changes)
    run = catalogue.create(config, "sample", "fast_cnn", name)
    catalogue.set_tags(run.id, {"state": State.RUNNING, "data_checksum": "same"})
    catalogue.log(
        run.id,
        [
            ("epochs", 1, 1),
            ("best_epoch", 1, 1),
            ("test_accuracy", accuracy, 1),
            ("best_validation_accuracy", accuracy, 1),
            ("epoch/validation_accuracy", accuracy, 1),
            ("epoch/total_seconds", 2.0, 1),
        ],
    )
    catalogue.set_tags(run.id, {"state": State.FINISHED})
    return catalogue.get(run.id)


@pytest.fixture
def seeds() -> dict[str, list[Run]]:
    """Two settings with three seeds each, a clear difference between them, and a lonely run."""
    return {
        "good": [finished(f"good-{n}", 0.98 + n / 1000, seed=n) for n in range(3)],
        "poor": [finished(f"poor-{n}", 0.95 + n / 1000, seed=n, epochs=9) for n in range(3)],
        "lone": [finished("lone", 0.9, epochs=7)],
    }


def opened(*chosen: Run, **address: str) -> AppTest:
    """Open the page at an address with some runs chosen, without a fault."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/compare.py")
    if chosen:
        page.session_state["compared"] = [run.id for run in chosen]
    for name, value in address.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception and only(page.title).value == "Compare"
    return page


def texts(page: AppTest) -> str:
    """Return all Markdown on the page."""
    return "\n".join(element.value for element in [*page.markdown, *page.caption])


def test_seeds_of_a_setting_share_a_row(seeds: dict[str, list[Run]]) -> None:
    """The row has their mean, deviation and number; each run by itself has a row on demand."""
    page = opened()
    rows = table_with(page, "reason").value.set_index("name")
    assert rows.index.tolist() == ["lone", "poor", "good", "built-in"]
    assert rows["runs"].tolist() == [1, 3, 3, 1]
    assert rows.loc["good", "test_accuracy"] == pytest.approx(98.1)
    assert rows.loc["good", "deviation"] == pytest.approx(0.1)
    page.toggle(key="runs-apart").set_value(True).run()
    assert table_with(page, "reason").value["name"].tolist() == [
        *("lone", "poor-2", "poor-1", "poor-0", "good-2", "good-1", "good-0", "built-in")
    ]


def test_ticking_a_setting_chooses_its_runs(seeds: dict[str, list[Run]]) -> None:
    """All its seeds are compared; unticking it drops them and no others."""
    page = opened(*seeds["lone"])
    page.session_state[table_with(page, "reason").key] = {
        "selection": {"rows": [0, 2], "columns": [], "cells": []}
    }
    page.run()
    good = [run.id for run in reversed(seeds["good"])]
    assert page.session_state["compared"] == [seeds["lone"][0].id, *good]
    page.session_state[table_with(page, "reason").key] = {
        "selection": {"rows": [2], "columns": [], "cells": []}
    }
    page.run()
    assert page.session_state["compared"] == good and not page.exception


def test_a_chosen_setting_opens_to_its_runs(seeds: dict[str, list[Run]]) -> None:
    """Each of its runs has its buttons in one row that opens, under the chart."""
    page = opened(*seeds["good"], *seeds["poor"])
    labels = [row.label for row in page.expander]
    assert any("98.10 ± 0.10 %" in label and "3 seeds" in label for label in labels)
    for run in seeds["good"]:
        assert page.button(key=f"evaluate-{run.id}")


def test_settings_are_judged_by_their_seeds(seeds: dict[str, list[Run]]) -> None:
    """Against the baseline: the difference, its interval and Welch's test, in words too."""
    page = opened(*seeds["good"], *seeds["poor"], *seeds["lone"])
    [table] = [each.value for each in page.dataframe if "difference, points" in each.value]
    rows = table.set_index("setting")
    assert rows.loc["good", "difference, points"] == "baseline"
    assert rows.loc["poor", "difference, points"] == "−3.00"
    assert rows.loc["poor", "seeds tested"] == "3"
    assert "**poor is significantly worse than good**" in texts(page)
    assert "**lone** and good cannot be compared yet" in texts(page)
    poor = page.selectbox(key="baseline").options.index("poor")
    page.selectbox(key="baseline").select_index(poor).run()
    assert "**good is significantly better than poor**" in texts(page)


def test_chance_is_explained_with_how_many_seeds_it_takes() -> None:
    """If two settings' seeds overlap, the page says what they can detect, and how many it takes."""
    first = [finished(f"left-{n}", 0.98 + n / 1000, seed=n) for n in range(3)]
    second = [finished(f"right-{n}", 0.9805 + n / 1000, seed=n, epochs=9) for n in range(3)]
    told = texts(opened(*first, *second))
    assert "**Between right and left the difference may be chance**" in told
    assert re.search(
        r"finds a true difference of 0\.31 percentage points four times out of five", told
    )
    assert "takes 64 seeds of each" in told


def test_columns_that_say_nothing_are_folded_away(seeds: dict[str, list[Run]]) -> None:
    """Among these runs the network is always the same; the number of seeds is not."""
    page = opened(filter="good")
    assert "network" not in table_with(page, "reason").proto.column_order
    page = opened(filter="fast_cnn")
    order = list(table_with(page, "reason").proto.column_order)
    assert "network" not in order and order[:2] == ["name", "runs"]


def test_what_differs_is_shown_by_setting(seeds: dict[str, list[Run]]) -> None:
    """A column a setting, and a setting without effect is not among them."""
    page = opened(*seeds["good"], *seeds["poor"])
    [table] = [each.value for each in page.dataframe if "setting" in each.value][-1:]
    assert table.set_index("setting").to_dict("index") == {
        "Passes over the images (epochs)": {"good": "4", "poor": "9"}
    }


def test_view_is_in_the_address(seeds: dict[str, list[Run]]) -> None:
    """Two people see the same at an address."""
    page = opened(*seeds["good"], *seeds["poor"])
    page.text_input(key="run-filter").set_value("fast").run()
    page.selectbox(key="curves").select("validation_loss").run()
    poor = page.selectbox(key="baseline").options.index("poor")
    page.selectbox(key="baseline").select_index(poor).run()
    address = {
        name: value[0] if isinstance(value, list) else value
        for name, value in page.query_params.items()
    }
    other = opened(**address)
    for key in ("compared", "run-filter", "curves", "baseline"):
        assert other.session_state[key] == page.session_state[key]
    [said] = [text.value for text in page.markdown if "significantly" in text.value]
    assert said in texts(other) and "better than poor" in said


def test_address_with_nonsense_is_a_plain_page(seeds: dict[str, list[Run]]) -> None:
    """Unknown runs, curves and baselines change nothing."""
    page = opened(runs="ffffffffffff,a,", curve="nothing", baseline="none", rows="x")
    assert "compared" not in page.session_state or page.session_state["compared"] == []
    assert table_with(page, "reason").value["name"].tolist() == ["lone", "poor", "good", "built-in"]


def test_disagreements_are_shown_the_surest_mistake_first(trained: Path) -> None:
    """Two networks' gallery has the images that one alone gets right."""
    first, second = catalogue.find("mlp 500"), catalogue.find("cnn 1000")
    results = [answers.of(run, "test", mnist.load("sample")) for run in (first, second)]
    a, b = (result.probabilities for result in results)
    truth = results[0].labels
    right = [one.argmax(1) == truth for one in (a, b)]
    found = compare.disagreements(a, b, truth)
    assert sorted(found) == [i for i in range(len(truth)) if right[0][i] != right[1][i]]
    sure = [float((b if right[0][i] else a)[i].max()) for i in found]
    assert sure == sorted(sure, reverse=True)
    page = opened(first, second)
    assert f"{len(found)} test images that only one of the two reads right" in texts(page)


def test_report_is_of_the_view(
    seeds: dict[str, list[Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the curve, the baseline and the settings that are chosen when it is downloaded."""
    made: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(
        "streamlit.download_button",
        lambda label, data, file_name, *_, **__: made.update({file_name: data}),
    )
    page = opened(*seeds["good"], *seeds["poor"])
    page.selectbox(key="curves").set_value("train_loss").run()
    baseline = page.selectbox(key="baseline").options.index("poor")
    page.selectbox(key="baseline").select_index(baseline).run()
    report = made["comparison.html"]()
    assert "Training loss, lower is better" in report and "lone" not in report
    assert "<td>+3.00</td>" in report and "good is significantly better than poor" in report

"""The Compare page, empty and with runs on the sample."""

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.config import TrainConfig
from core.data import mnist
from core.runs import actions, answers, builtin, catalogue
from core.runs.person import OWNER
from core.runs.run import Run, State
from core.runs.store import connect
from tests.pages.elements import only, table_with
from ui.compare import table

APP = str(Path(__file__).parents[2] / "ui" / "app.py")

pytestmark = pytest.mark.usefixtures("whole_app")


def opened(*chosen: Run) -> AppTest:
    """Open the page with some runs chosen, without a fault."""
    page = AppTest.from_file(APP, default_timeout=60).switch_page("../pages/compare.py")
    page.session_state["compared"] = [run.id for run in chosen]
    page.run()
    assert not page.exception and only(page.title).value == "Compare"
    return page


def texts(page: AppTest) -> str:
    """Return all Markdown on the page."""
    return "\n".join(element.value for element in [*page.markdown, *page.caption])


def in_progress() -> Run:
    """Return a run in progress, whose lease is valid."""
    run = catalogue.create(TrainConfig(), "sample", "fast_cnn", "going on")
    catalogue.set_tags(run.id, {"state": State.RUNNING, "alive_until": str(time.time() + 600)})
    return catalogue.get(run.id)


def test_without_a_run_it_leads_to_where_one_is_made(sample_only: None) -> None:
    """The page says that you have no runs yet, links to Train, and lists the built-in network."""
    page = opened()
    assert "You have no runs yet" in only(page.info).value
    assert "train" in [link.proto.page for link in page.main.get("page_link")]
    assert table_with(page, "reason").value["name"].tolist() == ["built-in"]


def test_every_run_is_in_the_table(trained: Path) -> None:
    """Newest first, the built-in network last, accuracies in percent."""
    table = table_with(opened(), "reason").value
    assert table["name"].tolist() == ["cnn 1000", "mlp 500", "built-in"]
    run = catalogue.find("mlp 500")
    assert table["test_accuracy"].tolist()[1] == pytest.approx(100 * run.test_accuracy)


def test_state_shows_its_reason(trained: Path) -> None:
    """A run that failed, diverged or warns says why in the table and where it is chosen."""
    died = in_progress()
    catalogue.set_tags(died.id, {"alive_until": "0", "warning": "The disk is full."})
    page = opened(catalogue.get(died.id))
    row = table_with(page, "reason").value.iloc[0]
    assert row["state"] == "failed: the training process died"
    assert row["warning"] == "The disk is full."
    assert "failed: the training process died" in texts(page)
    assert r"The disk is full\." in texts(page)


def test_filter_keeps_rows_with_every_word(trained: Path) -> None:
    """Words may stand in any column; when none fits, the page says so."""
    page = opened()
    page.text_input(key="run-filter").set_value("MLP finished").run()
    assert table_with(page, "reason").value["name"].tolist() == ["mlp 500"]
    page.text_input(key="run-filter").set_value("nothing like it").run()
    assert "No run matches all of these words" in only(page.info).value and not page.exception


def test_columns_can_be_chosen(trained: Path) -> None:
    """The table shows the chosen columns in their order."""
    page = opened()
    page.multiselect(key="run-columns").set_value(["seed", "name"]).run()
    assert list(table_with(page, "reason").proto.column_order) == ["seed", "name"]


def test_ticking_rows_chooses_runs(trained: Path) -> None:
    """A tick adds to what was chosen, and the filter forgets no choice."""
    page = opened(catalogue.find("cnn 1000"))
    key = table_with(page, "reason").key
    page.session_state[key] = {"selection": {"rows": [0, 1], "columns": [], "cells": []}}
    page.run()
    both = [catalogue.find(name).id for name in ("cnn 1000", "mlp 500")]
    assert page.session_state["compared"] == both
    page.text_input(key="run-filter").set_value("mlp").run()
    assert page.session_state["compared"] == both and not page.exception


def test_two_runs_are_set_against_each_other(trained: Path) -> None:
    """Only differences are shown side by side, and a sentence says whether they may be chance."""
    first, second = catalogue.find("mlp 500"), catalogue.find("cnn 1000")
    page = opened(first, second)
    differing = table_with(page, "setting").value.set_index("setting")
    assert differing.loc["Network"].to_dict() == {"mlp 500": "MLP", "cnn 1000": "Fast CNN"}
    assert "Images to learn from (training set)" in differing.index
    assert "Optimizer" not in differing.index
    assert "(p " in texts(page) and "Exact McNemar test" in texts(page)


def test_built_in_network_can_be_compared_but_not_edited(trained: Path) -> None:
    """Its curve and settings stand beside a run's; nobody can rename or delete it."""
    page = opened(catalogue.find("mlp 500"), builtin.run())
    assert "tested on different images" in texts(page)  # the full set's and the sample's
    differing = table_with(page, "setting").value.set_index("setting")
    assert differing.loc["Network"].to_dict() == {"mlp 500": "MLP", "built-in": "Strong CNN"}
    keys = [element.key or "" for element in [*page.button, *page.text_input]]
    assert "evaluate-built-in" in keys
    assert not any(key.startswith(("name-built-in", "delete-built-in")) for key in keys)


def test_runs_are_evaluated_as_one(trained: Path) -> None:
    """Each alone, then their mean: its mistakes are those that the command line counts."""
    chosen = [catalogue.find("mlp 500"), catalogue.find("cnn 1000")]
    page = opened(*chosen)
    table = table_with(page, "mistakes").value.set_index("")
    together = answers.together([answers.of(run, "test", mnist.load("sample")) for run in chosen])
    wrong = int((together.probabilities.argmax(1) != together.labels).sum())
    assert table.index.tolist() == ["mlp 500", "cnn 1000", "ensemble of 2"]
    assert table["mistakes"].tolist()[2] == wrong
    assert table["test accuracy"]["cnn 1000"] == f"{100 * (chosen[1].test_accuracy or 0):.2f} %"


def test_runs_on_other_images_are_not_judged(trained: Path) -> None:
    """Where the data differ, no test is made, and the page says so."""
    first, second = catalogue.find("mlp 500"), catalogue.find("cnn 1000")
    catalogue.set_tags(second.id, {"data_checksum": "other"})
    page = opened(first, catalogue.get(second.id))
    assert "tested on different images" in texts(page) and "(p " not in texts(page)


def test_run_without_an_epoch_can_be_compared(trained: Path) -> None:
    """A run that has only begun has no curve yet, and breaks nothing."""
    page = opened(catalogue.find("mlp 500"), in_progress())
    assert "Available once both runs have been tested" in texts(page)


def test_run_opens_in_evaluate(trained: Path) -> None:
    """The button leads to the Evaluate page with that run."""
    run = catalogue.find("mlp 500")
    page = opened(run)
    page.button(key=f"evaluate-{run.id}").click().run()
    assert only(page.title).value == "Evaluate" and page.selectbox(key="run-choice").value == run.id


def test_run_is_renamed_and_noted(trained: Path) -> None:
    """Name and note are kept as they were typed, whatever characters they have."""
    run = catalogue.find("mlp 500")
    page = opened(run)
    page.text_input(key=f"name-{run.id}").set_value("best *of* <b>all</b>")
    page.text_area(key=f"note-{run.id}").set_value("second thoughts")
    page.button(key=f"save-{run.id}").click().run()
    assert not page.exception
    changed = catalogue.get(run.id)
    assert (changed.name, changed.note) == ("best *of* <b>all</b>", "second thoughts")
    assert r"best \*of\* \<b\>all\</b\>" in texts(page)


def test_empty_name_is_refused(trained: Path) -> None:
    """The page says so, and the run keeps its name."""
    run = catalogue.find("mlp 500")
    page = opened(run)
    page.text_input(key=f"name-{run.id}").set_value("  ")
    page.button(key=f"save-{run.id}").click().run()
    assert "needs a name" in only(page.error).value
    assert catalogue.get(run.id).name == "mlp 500"


def test_deleting_asks_first(trained: Path) -> None:
    """One click asks, Keep it keeps, and only the second Delete deletes."""
    run = catalogue.find("mlp 500")
    page = opened(run)
    page.button(key=f"delete-{run.id}").click().run()
    page.button(key=f"keep-{run.id}").click().run()
    assert len(catalogue.listed()) == 2
    page.button(key=f"delete-{run.id}").click().run()
    page.button(key=f"really-{run.id}").click().run()
    assert not page.exception
    assert [left.name for left in catalogue.listed()] == ["cnn 1000"]
    assert table_with(page, "reason").value["name"].tolist() == ["cnn 1000", "built-in"]


def test_deleted_run_is_no_longer_chosen(trained: Path) -> None:
    """Somebody else deleted a run that is chosen here: it is forgotten, not only unseen."""
    gone, left = catalogue.find("mlp 500"), catalogue.find("cnn 1000")
    page = opened(gone, left)
    actions.delete(OWNER, gone)
    page.run()
    assert not page.exception and page.session_state["compared"] == [left.id]


def test_run_in_progress_cannot_be_deleted(trained: Path) -> None:
    """Its button is off."""
    run = in_progress()
    assert opened(run).button(key=f"delete-{run.id}").disabled


def test_download_is_csv_of_every_run(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracies are fractions there, whatever the filter and the columns are."""
    made: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(
        "streamlit.download_button",
        lambda label, data, file_name, *_, **__: made.update({file_name: data}),
    )
    opened()
    rows = list(csv.DictReader(io.StringIO(made["runs.csv"]())))
    assert [row["name"] for row in rows] == ["cnn 1000", "mlp 500", "built-in"]
    assert float(rows[1]["test_accuracy"]) == catalogue.find("mlp 500").test_accuracy


def test_password_of_a_teams_store_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page names the host alone."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@runs.example:5000/path")
    assert table.store_description() == "The team's runs, from runs.example."


def test_run_that_may_know_the_test_images_is_not_judged(trained: Path) -> None:
    """Neither against another run nor as a member of an ensemble: the page says why."""
    first, second = catalogue.find("mlp 500"), catalogue.find("cnn 1000")
    catalogue.set_tags(second.id, {"seen": "mnist", "taught_from": builtin.run().id})
    page = opened(first, catalogue.get(second.id))
    assert texts(page).count("is not a fair test") == 2
    assert "Exact McNemar test" not in texts(page)


def test_run_that_can_go_on_is_not_offered_its_test(trained: Path) -> None:
    """A stopped run's test accuracy is shown nowhere."""
    run = catalogue.find("cnn 1000")
    with connect() as (client, _):  # as its process would have left it
        client.set_tag(run.id, "state", "stopped")
    page = opened(catalogue.find("mlp 500"), catalogue.get(run.id))
    assert "Available once both runs have been tested" in texts(page)


def test_a_colleagues_change_of_the_same_run_is_not_reverted(trained: Path) -> None:
    """Saving a note leaves the name that somebody gave meanwhile; the same field is asked about."""
    run = catalogue.find("mlp 500")
    page = opened(run)
    actions.rename(OWNER, run, "theirs")
    page.text_area(key=f"note-{run.id}").set_value("mine")
    page.button(key=f"save-{run.id}").click().run()
    changed = catalogue.get(run.id)
    assert (changed.name, changed.note) == ("theirs", "mine")
    actions.note(OWNER, changed, "theirs too")
    page.text_area(key=f"note-{run.id}").set_value("mine again")
    page.button(key=f"save-{run.id}").click().run()
    assert r"changed the note in the meantime, to\: theirs too" in only(page.warning).value
    assert catalogue.get(run.id).note == "theirs too"
    page.button(key=f"save-{run.id}").click().run()
    assert not page.warning and catalogue.get(run.id).note == "mine again"


def test_runs_are_labeled_pinned_and_archived(trained: Path) -> None:
    """The filter finds labels, a pinned run comes first, an archived one only if asked for."""
    older, newer = catalogue.find("mlp 500"), catalogue.find("cnn 1000")
    page = opened(older)

    def names() -> list[str]:
        return list(table_with(page, "reason").value["name"])

    page.text_input(key=f"labels-{older.id}").set_value("talk,  talk, week 3")
    page.button(key=f"save-{older.id}").click().run()
    assert catalogue.get(older.id).labels == ("talk", "week 3")
    assert names()[0] == newer.name
    page.button(key=f"pin-{older.id}").click().run()
    assert names()[0] == older.name
    page.text_input(key="run-filter").set_value("week talk").run()
    assert names() == [older.name]
    page.button(key=f"archive-{older.id}").click().run()
    assert not page.exception and catalogue.get(older.id).archived
    page.text_input(key="run-filter").set_value("").run()
    assert older.name not in names()
    page.toggle(key="archived").set_value(True).run()
    assert older.name in names()

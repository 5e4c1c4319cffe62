"""Runs beside each other, from an embedded store."""

import io

import pandas as pd
import pytest

from core.config import TrainConfig, config_fields
from core.data import mnist
from core.data.digits import SOURCES, TEST_IMAGES, TRAINING_IMAGES
from core.runs import actions, catalogue, compare, settings
from core.runs.person import OWNER
from core.runs.run import Run, State


def made(name: str, accuracy: float | None = None, **settings: object) -> Run:
    """Return a queued run or, with an accuracy, a finished one."""
    run = catalogue.create(TrainConfig().changed(settings), "sample", "fast_cnn", name)
    if accuracy is not None:
        catalogue.set_tags(run.id, {"state": State.FINISHED})
        catalogue.log(run.id, [("test_accuracy", accuracy, 1), ("parameters", 421_834, 0)])
    return catalogue.get(run.id)


def test_table_has_a_row_a_run_and_gaps_where_nothing_is_known() -> None:
    """A run that has yet to begin has no accuracy; numbers stay numbers."""
    table = compare.table([made("done", 0.98), made("waiting")])
    assert table["name"].tolist() == ["done", "waiting"]
    assert table["state"].tolist() == ["finished", "queued"]
    assert table["parameters"].tolist() == [421_834, pd.NA]
    assert table["test_accuracy"].isna().tolist() == [False, True]
    assert table.loc[0, "test_low"] < 0.98 < table.loc[0, "test_high"]


def test_table_reads_back_from_csv() -> None:
    """What is downloaded has the same numbers."""
    run = made('a, "quoted" name', 0.98)
    actions.note(OWNER, run, "a note\nin two lines")
    table = compare.table([catalogue.get(run.id)])
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert again.loc[0, "name"] == 'a, "quoted" name'
    assert again.loc[0, "note"] == "a note\nin two lines"
    assert again.loc[0, "test_accuracy"] == 0.98


def test_words_filter_in_any_order_and_case() -> None:
    """Every word must be somewhere in the row; no word leaves all."""
    table = compare.table([made("One", network="mlp"), made("two", network="mlp"), made("three")])
    assert compare.matching(table, "ONE mlp")["name"].tolist() == ["One"]
    assert len(compare.matching(table, "")) == 3
    assert compare.matching(table, "mlp three").empty


def test_only_what_differs_is_shown() -> None:
    """Settings that all runs share are left out; so is everything, of one run twice."""
    slow, fast = made("slow", learning_rate=0.001), made("fast", learning_rate=0.01, epochs=9)
    assert compare.differing({"slow": [slow], "fast": [fast]}) == {
        "learning_rate": [(0.001,), (0.01,)],
        "epochs": [(TrainConfig().epochs,), (9,)],
    }
    assert compare.differing({"slow": [slow], "again": [slow]}) == {}


def test_groups_differ_by_all_that_their_runs_have() -> None:
    """A group has each of its runs' values once, in their order; so does the other."""
    first, second, other = made("a", epochs=4), made("b", epochs=8), made("c", epochs=8)
    assert compare.differing({"two": [first, second, first], "one": [other]}) == {
        "epochs": [(4, 8), (8,)]
    }


def test_origin_is_a_difference() -> None:
    """A run that was taught differs from its parent by that, whatever else they share."""
    parent = made("parent")
    child = catalogue.create(TrainConfig(), "sample", "fast_cnn", "child", parent, 7)
    assert compare.differing({"parent": [parent], "child": [child]}) == {
        "fine-tuned from": [("no run",), ("parent",)],
        "my digits learned": [(0,), (7,)],
    }
    other = catalogue.create(TrainConfig(), "sample", name="other", parent=child, taught_digits=7)
    rows = compare.differing({"parent": [parent], "other": [other]})
    assert rows["fine-tuned from"] == [("no run",), (child.id[:8],)]


def test_what_is_not_known_yet_makes_no_difference() -> None:
    """A queued run has no device; one that has begun has."""
    waiting, begun = made("waiting"), made("begun")
    catalogue.set_tags(begun.id, {"device": "cpu", "precision": "float32"})
    assert compare.differing({"one": [waiting], "other": [catalogue.get(begun.id)]}) == {}


def test_equal_names_are_told_apart() -> None:
    """Runs of one name get the beginning of their ids."""
    first, second, other = made("twin"), made("twin"), made("other")
    assert compare.labels([first, second, other]) == [
        f"twin ({first.id[:6]})",
        f"twin ({second.id[:6]})",
        "other",
    ]


def test_test_sets_are_as_large_as_the_intervals_assume(sample_only: None) -> None:
    """The Wilson interval counts the images that the data have."""
    assert TEST_IMAGES["sample"] == len(mnist.load("sample").test_labels)
    assert TEST_IMAGES["mnist"] == mnist.FILES["test_labels"][2][0]
    assert TEST_IMAGES.keys() == SOURCES.keys() == TRAINING_IMAGES.keys()
    assert TRAINING_IMAGES["sample"] == len(mnist.load("sample").train_labels)
    assert TRAINING_IMAGES["mnist"] == mnist.FILES["train_labels"][2][0]


def test_more_images_than_the_data_have_are_no_difference() -> None:
    """On the sample, 40,000 images are all 3,000: no other setting, and not what differs."""
    every, more, fewer = made("all"), made("more", train_size=40_000), made("few", train_size=300)
    assert compare.differing({"all": [every], "more": [more]}) == {}
    assert compare.differing({"more": [more], "few": [fewer]}) == {"train_size": [(3_000,), (300,)]}
    assert [len(one.runs) for one in settings.grouped([every, more, fewer])] == [2, 1]


@pytest.mark.parametrize(("accuracy", "low", "high"), [(0.98, 0.9693, 0.9870), (1.0, 0.9962, 1.0)])
def test_interval_of_a_run(accuracy: float, low: float, high: float) -> None:
    """980 of 1,000 right is 96.93 to 98.70 %, and 1,000 of 1,000 still leaves room for doubt."""
    assert compare.test_interval(made("any", accuracy)) == pytest.approx((low, high), abs=1e-4)


def test_field_without_effect_is_no_difference() -> None:
    """SGD's momentum beside AdamW, and a step schedule's factor beside one cycle, do nothing."""
    one, other = made("one", momentum=0.5, step_factor=0.1), made("other", momentum=0.9)
    assert compare.differing({"one": [one], "other": [other]}) == {}


def test_leaving_out_wrong_labels_is_a_difference() -> None:
    """A run that names notes on labels differs from one that names none."""
    every, noted = made("every"), made("noted", notes="0123456789abcdef" * 2)
    assert compare.differing({"every": [every], "noted": [noted]}) == {
        "notes": [("",), ("0123456789abcdef" * 2,)]
    }


def test_settings_of_weights_from_elsewhere_are_not_known() -> None:
    """Nobody knows their learning rate, and an ONNX file's network has no name here."""
    ours, theirs = made("ours", learning_rate=0.5), made("theirs")
    catalogue.set_tags(theirs.id, {"imported": "onnx"})
    assert compare.differing({"ours": [ours], "theirs": [catalogue.get(theirs.id)]}) == {
        "network": [("fast_cnn",), ("ONNX",)]
    }
    assert ours.knows("learning_rate") and not ours.knows("momentum")  # AdamW has none
    assert [name for name in config_fields() if catalogue.get(theirs.id).knows(name)] == [
        *("network", "mean", "std")
    ]

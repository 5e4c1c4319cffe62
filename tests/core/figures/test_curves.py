"""Figures of trainings over time."""

import pandas as pd
import pytest

from core.figures import palette
from core.figures.curves import (
    accuracy_against,
    learning_rate,
    setting_curves,
    training_curves,
)
from core.runs.history import History


def test_run_without_an_epoch_has_an_empty_curve() -> None:
    """It keeps its place among the others, and so its color."""
    full = pd.DataFrame(
        {
            "epoch": [1, 2],
            "total_seconds": [3.0, 7.5],
            "validation_accuracy": [0.9, 0.8],
            "validation_loss": [0.3, 0.4],
        }
    )
    figure = setting_curves({"new": [full[:0]], "old": [full]}, "validation_loss", by_seconds=True)
    assert [len(trace.x) for trace in figure.data] == [0, 2]
    assert list(figure.data[1].x) == [3.0, 7.5]
    assert list(figure.data[1].marker.symbol) == ["circle-open", "circle"]  # the best epoch


def test_names_are_not_taken_for_markup() -> None:
    """A run's name is shown as it is."""
    name = "<b>bold</b>"
    full = pd.DataFrame({"epoch": [1], "validation_accuracy": [0.9]})
    figure = setting_curves({name: [full]}, "validation_accuracy")
    assert figure.data[0].name == "&lt;b&gt;bold&lt;/b&gt;"


def history(*accuracies: float) -> History:
    """Return a history with these validation accuracies, an epoch each."""
    epochs = pd.DataFrame({"epoch": range(1, len(accuracies) + 1)})
    for column in ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss"):
        epochs[column] = accuracies
    steps = epochs.assign(accuracy=accuracies, loss=accuracies, learning_rate=0.1)
    return History(steps, epochs)


def test_axes_before_the_first_step_are_those_of_a_training() -> None:
    """The accuracy axis runs from 0 to 100 %, and fits the points once there are any."""
    assert training_curves(history(), "accuracy", 4).layout.yaxis.range == (0, 1)
    assert training_curves(history(), "loss", 4).layout.yaxis.range == (0, 2.5)
    assert learning_rate(history(), 4, 0.02).layout.yaxis.range == pytest.approx((0, 0.021))
    begun = training_curves(history(0.9), "accuracy", 4).layout.yaxis
    assert begun.range is None
    assert begun.autorangeoptions.clipmax == begun.autorangeoptions.include == 1  # no 107 %


def test_legend_is_whole_before_the_first_step() -> None:
    """Its entries are there from the start, because later ones would take space from the curves."""
    empty, full = (training_curves(one, "loss", 4) for one in (history(), history(0.9)))
    assert [trace.name for trace in empty.data] == [trace.name for trace in full.data]
    assert all(len(trace.x) == 1 for trace in empty.data)  # Plotly leaves out one without a point


def test_run_beside_another_shares_its_axes() -> None:
    """Its two lines are gray, and have no legend entry."""
    alone = training_curves(history(0.8, 0.9), "accuracy", 4)
    both = training_curves(history(0.8, 0.9), "accuracy", 4, beside=("other", history(0.7)))
    added = [trace for trace in both.data if trace.line.color == palette.NEUTRAL]
    assert [list(trace.y) for trace in added] == [[0.7], [0.7]]
    legends = [
        [t.name for t in figure.data if t.showlegend is not False] for figure in (alone, both)
    ]
    assert legends[0] == legends[1]
    assert both.data[0].name == "training, by step"  # what grows while it trains comes first


def test_seeds_are_a_mean_in_a_band() -> None:
    """Mean, and one sample deviation each way, for epochs that two runs have."""
    runs = [
        pd.DataFrame(
            {
                "epoch": range(1, 1 + len(accuracies)),
                "total_seconds": range(1, 1 + len(accuracies)),
                "validation_accuracy": accuracies,
            }
        )
        for accuracies in ([0.8, 0.9], [0.9, 0.9, 0.95])
    ]
    band, mean = setting_curves({"both": runs}, "validation_accuracy").data
    assert list(mean.x) == [1, 2] and list(mean.y) == pytest.approx([0.85, 0.9])
    deviation = 0.1 / 2**0.5
    assert list(band.y) == pytest.approx([0.85 + deviation, 0.9, 0.9, 0.85 - deviation])
    assert mean.name == "both, mean of 2"


def test_points_bear_their_settings_name_once() -> None:
    """Runs of one setting share a color, and the first has the name."""
    table = pd.DataFrame(
        {"test_accuracy": 0.9, "test_low": 0.8, "test_high": 0.95, "parameters": [1, 2, 3]}
    )
    figure = accuracy_against(table, ["a", "a", "b"], "parameters", [0, 0, 1])
    assert [trace.text[0] for trace in figure.data] == ["a", "", "b"]
    colors = [trace.marker.color for trace in figure.data]
    assert colors[0] == colors[1] != colors[2]


def test_long_names_are_cut_and_crowded_points_have_a_legend() -> None:
    """A legend and a plot have no room for a name of 80 characters, nor a plot for a dozen names.

    Then no name stands beside its point, and the legend has each setting once.
    """
    table = pd.DataFrame(
        {"test_accuracy": [0.9] * 4, "test_low": 0.8, "test_high": 0.95, "parameters": 1}
    )
    figure = accuracy_against(table[:3], [80 * "<", "b", "c"], "parameters")
    assert [trace.text[0] for trace in figure.data] == [23 * "&lt;" + "…", "b", "c"]
    assert figure.layout.showlegend is False
    crowd = pd.concat([table] * 4)
    figure = accuracy_against(
        crowd, [80 * "<"] * 2 + list("abcdefghijklmn"), "parameters", [0, 0, *range(1, 15)]
    )
    assert {trace.text[0] for trace in figure.data} == {""} and figure.layout.showlegend
    legend = [trace.name for trace in figure.data if trace.showlegend]
    assert legend == [39 * "&lt;" + "…", *"abcdefghijklmn"]
    epochs = history(0.8).epochs
    [line] = setting_curves({80 * "<": [epochs]}, "validation_accuracy").data
    assert line.name == 39 * "&lt;" + "…"


def test_names_of_near_points_stand_apart() -> None:
    """The names of three runs at one point do not overlap, and none is cut off."""
    table = pd.DataFrame(
        {
            "test_accuracy": [0.96, 0.961, 0.962, 0.2, None],
            "test_low": 0.1,
            "test_high": 0.99,
            "train_seconds": [9.0, 9.1, 9.2, 100.0, 50.0],
        }
    ).astype({"test_accuracy": "Float64"})
    figure = accuracy_against(table, list("abcde"), "train_seconds")
    sides = [trace.textposition for trace in figure.data]
    assert sides == ["top right", "top left", "bottom right", "top left"]
    figure = accuracy_against(table, list("aabde"), "train_seconds", [0, 0, 1, 2, 3])
    assert [trace.textposition for trace in figure.data if trace.text[0]] == [
        *("top right", "top left", "top left")  # a run without a name takes no place
    ]


def test_name_crosses_no_bar() -> None:
    """A name stands on the side without another run's bar; between two bars there is a legend."""
    table = pd.DataFrame(
        {
            "test_accuracy": [0.96, 0.96, 0.96],
            "test_low": 0.95,
            "test_high": 0.97,
            "train_seconds": [50.0, 55.0, 100.0],
        }
    )
    figure = accuracy_against(table, ["first", "second", "third"], "train_seconds")
    assert [trace.textposition for trace in figure.data] == ["top left", "top right", "top left"]
    both = pd.concat([table, table[:1].assign(train_seconds=45.0)])  # and another seed of `second`
    figure = accuracy_against(
        both, ["first", "second", "third", "second"], "train_seconds", [0, 1, 2, 1]
    )
    assert not any(trace.text[0] for trace in figure.data) and figure.layout.showlegend
    assert [trace.showlegend for trace in figure.data] == [True, True, True, False]

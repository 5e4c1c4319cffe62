"""The courses of trainings as figures."""

import pandas as pd

from core.figures.curves import run_curves


def test_run_without_an_epoch_has_an_empty_curve() -> None:
    """It keeps its place, and so its colour, among the others."""
    full = pd.DataFrame(
        {
            "epoch": [1, 2],
            "total_seconds": [3.0, 7.5],
            "validation_accuracy": [0.9, 0.8],
            "validation_loss": [0.3, 0.4],
        }
    )
    figure = run_curves({"new": full[:0], "old": full}, "validation_loss", by_seconds=True)
    assert [len(trace.x) for trace in figure.data] == [0, 2]
    assert list(figure.data[1].x) == [3.0, 7.5]
    assert list(figure.data[1].marker.symbol) == ["circle-open", "circle"]  # the best epoch


def test_names_are_not_taken_for_markup() -> None:
    """What a person called a run is shown as it is."""
    name = "<b>bold</b>"
    full = pd.DataFrame({"epoch": [1], "validation_accuracy": [0.9]})
    figure = run_curves({name: full}, "validation_accuracy")
    assert figure.data[0].name == "&lt;b&gt;bold&lt;/b&gt;"

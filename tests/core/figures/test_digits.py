"""Figures say what their tables say."""

import numpy as np
import pandas as pd

from core.figures.digits import confusion_map, evidence, probability_bars, reliability


def test_cell_knows_its_truth_and_answer() -> None:
    """A heatmap's cell at x 9, y 4 has the count for truth 4 and answer 9."""
    matrix = np.diag(np.full(10, 8))
    matrix[4, 9] = 2
    heatmap = confusion_map(matrix).data[0]
    assert heatmap.text[4][9] == "2" and heatmap.text[4][4] == "8" and heatmap.text[9][4] == ""
    assert heatmap.customdata[4][9].tolist() == [2, 0.2]
    assert confusion_map(matrix, normalized=True).data[0].text[4][9] == "20.0"


def test_hidden_diagonal_leaves_the_mistakes() -> None:
    """The cells of the right answers are empty, and the others as they were."""
    matrix = np.full((10, 10), 3)
    heatmap = confusion_map(matrix, hide_diagonal=True).data[0]
    assert np.isnan(np.diag(heatmap.z)).all() and set(np.diag(heatmap.text)) == {""}
    assert np.isfinite(heatmap.z).sum() == 90


def test_confusion_title_says_what_one_sees() -> None:
    """It names the number of mistakes and the most frequent; without any, it says so."""
    matrix = np.diag(np.full(10, 8))
    assert confusion_map(matrix).layout.title.text == "All 80 images are right"
    single = np.eye(10, dtype=np.int64) * (np.arange(10) == 3)
    assert confusion_map(single).layout.title.text == "The only image is right"
    matrix[4, 9] = 2
    assert confusion_map(matrix).layout.title.text == ("2 of 82 wrong, most often 4 read as 9")


def test_ten_bars_name_answer_and_truth() -> None:
    """A wrong answer and the truth are both marked; a right answer counts as the truth."""
    probabilities = np.full(10, 0.01, np.float32)
    probabilities[9] = 0.91
    ticks = probability_bars(probabilities, 4).layout.xaxis.ticktext
    assert ("truth" in ticks[4], "answer" in ticks[9]) == (True, True)
    assert "truth" in probability_bars(probabilities, 9).layout.xaxis.ticktext[9]
    beside = probability_bars(probabilities, 8).layout.xaxis.ticktext
    assert (beside[8], beside[9]) == ("<b>8</b><br><br>truth", "<b>9</b><br>answer")
    assert "answer" in probability_bars(probabilities).layout.xaxis.ticktext[9]


def test_bar_below_certainty_is_not_labeled_100_percent() -> None:
    """A probability below 1 is at most ">99.9 %", 1 is "100.0 %", and a tiny one has no label."""
    probabilities = np.zeros(10, np.float32)
    probabilities[3], probabilities[4] = 0.9999, 0.0001
    text = probability_bars(probabilities).data[0].text
    assert (text[3], text[4]) == (">99.9 %", "")
    assert probability_bars(np.eye(10, dtype=np.float32)[3]).data[0].text[3] == "100.0 %"


def test_reliability_has_the_tables_points() -> None:
    """Confidence across, accuracy up, before and after; the dashed line is where they agree."""
    before = pd.DataFrame({"confidence": [0.6, 0.9], "accuracy": [0.5, 0.95], "count": [10, 90]})
    after = before.assign(confidence=[0.5, 0.95])
    line, told, calibrated = reliability(before, after).data
    assert (list(line.x), list(line.y)) == ([0, 1], [0, 1])
    assert (list(told.x), list(told.y)) == ([0.6, 0.9], [0.5, 0.95])
    assert list(calibrated.x) == [0.5, 0.95]
    assert [count for (count,) in told.customdata] == [10, 90]


def test_evidence_is_named_in_a_legend() -> None:
    """A legend beside the digit says what blue and orange stand for."""
    image, values = np.zeros((28, 28), np.float32), np.zeros((28, 28), np.float32)
    values[5, 5], values[20, 20] = 2, -1
    ink, overlay, towards, against = evidence(image, values, 4, 9).data
    assert ink.z.shape == overlay.z.shape == (28, 28)
    assert overlay.zmax == -overlay.zmin and overlay.z[5, 5] > 0 > overlay.z[20, 20]
    assert overlay.customdata[5][5] == 2
    assert (towards.name, against.name) == ("speaks for 4", "speaks for 9")

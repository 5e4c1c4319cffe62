"""Hand-written metrics against scikit-learn's and SciPy's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.evaluation import metrics, significance

Answers = tuple[NDArray[np.float32], NDArray[np.uint8]]


@pytest.fixture
def answers() -> Answers:
    """Answers to 2,000 digits, right in about three of four."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 2_000).astype(np.uint8)
    logits = rng.normal(size=(2_000, 10)) + 2.5 * np.eye(10)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities.astype(np.float32), labels


def test_confusion_is_scikit_learns(answers: Answers) -> None:
    """Rows are the truth, columns the answer."""
    import sklearn.metrics  # takes 2 s

    probabilities, labels = answers
    expected = sklearn.metrics.confusion_matrix(labels, probabilities.argmax(1), labels=range(10))
    np.testing.assert_array_equal(metrics.confusion(probabilities, labels), expected)


def test_classes_are_scikit_learns(answers: Answers) -> None:
    """Precision, recall, F1 and support of each digit agree."""
    import sklearn.metrics  # takes 2 s

    probabilities, labels = answers
    table = metrics.per_class(metrics.confusion(probabilities, labels))
    expected = sklearn.metrics.precision_recall_fscore_support(labels, probabilities.argmax(1))
    for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
        np.testing.assert_allclose(table[name], values)


def test_report_is_scikit_learns(answers: Answers) -> None:
    """Accuracy, macro F1 and loss agree."""
    import sklearn.metrics  # takes 2 s

    probabilities, labels = answers
    report = metrics.report(probabilities, labels)
    answer = probabilities.argmax(1)
    assert report.accuracy == pytest.approx(sklearn.metrics.accuracy_score(labels, answer))
    assert report.macro_f1 == pytest.approx(
        sklearn.metrics.f1_score(labels, answer, average="macro")
    )
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(1, keepdims=True)
    assert report.loss == pytest.approx(sklearn.metrics.log_loss(labels, exact), rel=1e-5)
    assert report.count == 2_000 and report.interval[0] < report.accuracy < report.interval[1]


def test_digits_that_do_not_occur_do_not_lower_macro_f1(answers: Answers) -> None:
    """Of zeros and ones alone, the mean is over what is there or was answered."""
    import sklearn.metrics  # takes 2 s

    probabilities, labels = answers
    few = labels < 2
    expected = sklearn.metrics.f1_score(labels[few], probabilities[few].argmax(1), average="macro")
    assert metrics.report(probabilities[few], labels[few]).macro_f1 == pytest.approx(expected)
    right = labels == probabilities.argmax(1)
    only = right & few
    assert metrics.report(probabilities[only], labels[only]).macro_f1 == 1


def test_certain_mistake_costs_a_finite_loss() -> None:
    """A probability of 0 for the truth does not make the mean infinite."""
    probabilities = np.eye(10, dtype=np.float32)[[3]]
    loss, accuracy = metrics.score(probabilities, np.array([4], np.uint8))
    assert np.isfinite(loss) and loss > 20 and accuracy == 0


@pytest.mark.parametrize(("right", "count"), [(9_931, 10_000), (362, 1_000), (0, 10), (10, 10)])
def test_wilson_is_scipys(right: int, count: int) -> None:
    """The interval agrees at the edges too, where it stays within [0, 1]."""
    from scipy.stats import binomtest

    expected = binomtest(right, count).proportion_ci(method="wilson")
    low, high = metrics.wilson(right, count)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert 0 <= low <= right / count <= high + 1e-12 <= 1 + 1e-12


def test_digit_never_answered_has_precision_zero() -> None:
    """Where a ratio is undefined it is 0, as scikit-learn's zero_division=0, and never NaN."""
    labels = np.array([0, 0, 1], np.uint8)
    probabilities = np.eye(10, dtype=np.float32)[[0, 0, 0]]
    table = metrics.per_class(metrics.confusion(probabilities, labels)).set_index("digit")
    assert not table.isna().to_numpy().any()
    assert table.loc[1, "precision"] == table.loc[1, "f1"] == table.loc[7, "recall"] == 0
    assert table.loc[0, "precision"] == pytest.approx(2 / 3)


def test_confused_pairs_start_with_the_most_frequent() -> None:
    """Each pair has its count and its share of the truth; the diagonal is left out."""
    matrix = np.diag(np.full(10, 8))
    matrix[4, 9], matrix[7, 2] = 2, 1
    pairs = metrics.confused_pairs(matrix)
    assert pairs[["truth", "answer", "count"]].to_numpy().tolist() == [[4, 9, 2], [7, 2, 1]]
    assert pairs["share"].tolist() == pytest.approx([0.2, 1 / 9])


def test_answers_say_how_sure_each_was(answers: Answers) -> None:
    """A row has the image's number, truth, answer and both probabilities."""
    probabilities, labels = answers
    indices = np.arange(5_000, 7_000)
    table = metrics.answers(probabilities, labels, indices)
    assert table["index"].tolist() == indices.tolist()
    assert (table["confidence"] >= table["p_truth"]).all()
    right = table["truth"] == table["answer"]
    assert (table["confidence"] == table["p_truth"])[right].all() and not right.all()


def test_mcnemar_is_the_exact_binomial_test() -> None:
    """10 wins against 2 have p = 0.0386, as a coin's two tails: 2 (1 + 12 + 66) / 4096."""
    first = np.array([True] * 10 + [False] * 2 + [True] * 50 + [False] * 5)
    second = np.array([False] * 10 + [True] * 2 + [True] * 50 + [False] * 5)
    paired = significance.mcnemar(first, second)
    assert (paired.only_first, paired.only_second) == (10, 2)
    assert paired.p_value == pytest.approx(2 * (1 + 12 + 66) / 4096)


def test_mcnemar_of_equal_answers_sees_no_difference() -> None:
    """Without an image that only one reads right, p is 1."""
    right = np.array([True, False, True])
    assert significance.mcnemar(right, right) == significance.Paired(0, 0, 1.0)

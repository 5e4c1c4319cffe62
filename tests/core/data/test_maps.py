"""Maps of digits: the sample, PCA, t-SNE, and images placed among others."""

import numpy as np
import pytest

from core.data import maps, mnist, selection
from core.data.digits import Digits


@pytest.fixture(scope="module")
def digits() -> Digits:
    """The sample."""
    return mnist.load("sample")


def test_sample_is_even_and_fixed(digits: Digits) -> None:
    """Every digit has its share of the map, of either split, and the same images come each time."""
    for split, labels, first in (
        ("train", digits.train_labels, 0),
        ("test", digits.test_labels, 4_000),
    ):
        numbers = maps.sample(digits, split, 500)
        assert np.bincount(labels[numbers - first]).tolist() == [50] * 10
        assert np.array_equal(numbers, maps.sample(digits, split, 500))
    assert len(maps.sample(digits, "train", 10_000)) == 4_000


def test_pca_is_sklearns(digits: Digits) -> None:
    """Plane, kept variance and new images' places are scikit-learn's, up to an axis's sign."""
    from sklearn.decomposition import PCA

    images, others = digits.train_images[:600], digits.test_images[:50]
    ours = maps.components(images)
    reference = PCA(2, svd_solver="full").fit(images.reshape(600, -1) / 255)
    for some in (images, others):
        theirs = reference.transform(some.reshape(len(some), -1) / 255)
        np.testing.assert_allclose(np.abs(ours.of(some)), np.abs(theirs), atol=1e-6)
    assert ours.share == pytest.approx(reference.explained_variance_ratio_.sum())


@pytest.mark.slow
def test_tsne_puts_like_digits_together_and_reports_its_progress(
    digits: Digits, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neighbors on the map are mostly the same digit; progress rises to 1; seeds repeat."""
    images, labels = selection.take(digits, maps.sample(digits, "train", 300))
    shares: list[float] = []
    points = maps.tsne(images, shares.append)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(1)] == labels).mean() > 0.75
    assert len(shares) > 3 and shares == sorted(shares) and shares[-1] == 1
    assert capsys.readouterr().out == ""
    assert np.array_equal(points, maps.tsne(images))


def test_image_is_placed_among_those_it_resembles(digits: Digits) -> None:
    """If all images of a digit share a place, most test digits are put at their label's."""
    places = np.stack([digits.train_labels, np.zeros(4_000)], axis=1).astype(float)
    found = maps.among(digits.test_images[:100], digits.train_images, places)
    assert (np.abs(found[:, 0] - digits.test_labels[:100]) < 0.5).mean() > 0.8
